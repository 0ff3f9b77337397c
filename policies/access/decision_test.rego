package assay.access.decision_test

import data.assay.access
import data.assay.access.given_test as given

malformed(action) := {
	"facts": {
		"claimed": given.no_claims,
		"payload": {"check": "malformed", "problem": "/subject: expected an object"},
		"resource": given.no_record,
		"roles": {"assigned": []},
		"subject": given.no_record,
	},
	"now": given.now,
	"request": {"action": action, "obligations": [], "peer": given.operator},
}

test_a_malformed_payload_is_refused_for_that_alone if {
	given.refused(malformed("access.evaluate"), {"malformed_request"})
	given.refused(malformed("access.assign"), {"malformed_request"})
}

test_an_input_without_facts_is_refused if {
	access.decision.allow == false with input as {"facts": {}, "now": 1, "request": {"action": "access.evaluate"}}
	access.decision.allow == false with input as {}
}

test_an_action_without_rules_is_refused if {
	given.refused(given.asked_by_operator("access.no-such-action", {}, {}), {"not_permitted"})
}

test_a_frozen_action_is_refused_though_it_is_permitted if {
	request := given.asked_by_operator("access.put-resource", {"attributes": {}, "related": {}}, {"resource": given.resource("node", "n1", {})})
	decision := access.decision with input as request
		with data.access as given.policy_data
		with data.freeze.actions as ["access.put-resource"]
	[reason.code | some reason in decision.reasons] == ["frozen"]
}

test_every_action_that_something_may_permit_is_named if {
	access.actions == {"burn", "cancel", "enter", "pay", "read", "serve", "touch", "write"} with data.access as given.policy_data
}

test_an_action_that_only_a_request_permits_is_named if {
	access.actions == {"drain"} with data.access as {"requests": {"node": {"drain": {}}}}
}
