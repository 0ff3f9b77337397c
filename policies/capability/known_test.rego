package assay.capability.known_test

import data.assay.capability.given_test as given

test_a_type_without_a_schema_is_refused if {
	given.refused(given.with_token({"caveats": {"unheard_of": [1]}}), "unsupported_caveat")
	given.refused(given.with_token({"caveats": {"constructor": [1]}}), "unsupported_caveat")
	given.refused(given.with_token({"surplus": ["unheard_of"]}), "unsupported_caveat")
}

test_a_name_that_no_rule_can_have_is_refused if {
	given.refused(given.with_token({"unsupported": 1}), "unsupported_caveat")
}

test_what_is_not_understood_comes_before_what_is_wrong if {
	given.refused(given.with_token({"caveats": {"op": [1], "unheard_of": [1]}}), "unsupported_caveat")
	given.refused(given.with_token({"surplus": ["op", "unheard_of"]}), "unsupported_caveat")
}

test_a_caveat_with_a_member_too_many_is_refused if {
	given.refused(given.with_token({"surplus": ["op"]}), "malformed_caveat")
}

test_a_value_is_as_its_type_wants_it if {
	given.refused(given.with_token({"caveats": {"op": [["submit"], "submit"]}}), "malformed_caveat")
	given.refused(given.with_token({"caveats": {"max_bytes": ["1"]}}), "malformed_caveat")
}

test_a_type_with_a_schema_and_no_rule_permits_nothing if {
	decision := data.assay.capability.decision with input as given.with_token({"caveats": {"of_tomorrow": [1]}})
		with data.capability.caveats.of_tomorrow as {"type": "integer"}
		with data.freeze as {"actions": []}
		with input.now as given.now
	[reason.code | some reason in decision.reasons] == ["caveat_denied"]
}
