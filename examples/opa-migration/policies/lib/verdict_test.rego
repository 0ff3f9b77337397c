package assay.lib.verdict_test

import data.assay.lib.verdict

reason(code) := {"code": code, "message": "why", "rule": "test"}

rules := {"deny": set(), "effects": [], "grant": set(), "missing": set(), "obligations": []}

granted := object.union(rules, {
	"effects": [{"kind": "test.effect"}],
	"grant": {reason("yes"), reason("also")},
	"obligations": [{"id": "1", "type": "notification"}],
})

request := {"request": {"action": "test.act"}}

test_denied_by_default if {
	verdict.decide(rules) == {
		"allow": false,
		"effects": [],
		"obligations": [],
		"reasons": [{
			"code": "not_permitted",
			"message": "no rule permits this",
			"rule": "assay.lib.verdict.decide",
		}],
	} with input as request
}

test_what_is_missing_explains_a_denial if {
	decision := verdict.decide(object.union(rules, {"missing": {reason("b"), reason("a")}})) with input as request
	decision.allow == false
	decision.reasons == [reason("a"), reason("b")]
}

test_a_grant_allows_with_effects_and_ordered_reasons if {
	verdict.decide(granted) == {
		"allow": true,
		"effects": [{"kind": "test.effect"}],
		"obligations": [{"id": "1", "type": "notification"}],
		"reasons": [reason("also"), reason("yes")],
	} with input as request
}

test_a_denial_overrides_a_grant_and_has_no_effects if {
	decision := verdict.decide(object.union(granted, {"deny": {reason("no")}})) with input as request
	decision == {"allow": false, "effects": [], "obligations": [], "reasons": [reason("no")]}
}

test_the_organisation_overrides_a_grant if {
	decision := verdict.decide(granted) with input as request
		with data.freeze.actions as ["test.act"]
	decision.allow == false
	[why.code | some why in decision.reasons] == ["frozen"]
	decision.effects == []
}

test_both_kinds_of_denial_are_told if {
	decision := verdict.decide(object.union(rules, {"deny": {reason("no")}})) with input as request
		with data.freeze.actions as ["*"]
	[why.code | some why in decision.reasons] == ["frozen", "no"]
}

test_reasons_are_bounded if {
	many := {reason(sprintf("code_%d", [n])) | some n in numbers.range(1, 100)}
	decision := verdict.decide(object.union(rules, {"deny": many})) with input as request
	count(decision.reasons) == verdict.max_reasons
}
