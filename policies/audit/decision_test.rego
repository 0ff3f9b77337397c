package assay.audit_test

import data.assay.audit.given_test as given

test_nobody_without_a_role_asks_anything if {
	every action in ["audit.erase", "audit.expire", "audit.hold", "audit.query", "audit.receipt", "audit.release"] {
		given.refused(given.asks(given.nobody, action, given.about([given.record({})])), {"no_audit_role"})
	}
}

test_a_denial_grants_nothing if {
	not given.decide(given.asks(given.nobody, "audit.query", {})).output
}

test_a_malformed_payload_is_refused if {
	malformed := {"check": "malformed", "fields": [], "filter": {}, "limit": 10, "problem": "/: expected an object"}
	given.refused(given.asks(given.operator, "audit.query", {"payload": malformed}), {"malformed_request"})
	given.refused(given.asks(given.operator, "audit.erase", {"payload": malformed}), {"malformed_request"})
}

test_a_freeze_holds_here_too if {
	decision := data.assay.audit.decision with input as given.asks(given.operator, "audit.query", {})
		with data.audit as given.policy_data
		with data.freeze as {"actions": ["audit.query"]}
	not decision.allow
}

test_a_query_is_granted_as_it_was_asked if {
	decision := given.decide(given.asks(given.operator, "audit.query", {}))
	decision.allow
	decision.output == {
		"fields": ["*"],
		"limit": 10,
		"open": [{"actions": ["*"], "fields": ["*"]}],
		"query": {"actions": ["access.evaluate"]},
	}
}

test_a_receipt_is_opened_as_far_as_the_role_goes if {
	decision := given.decide(given.asks(given.carol, "audit.receipt", given.about([given.record({})])))
	decision.allow
	decision.output == {"open": [{"actions": ["*"], "fields": ["verdict"]}]}
}

test_whoever_asked_for_a_decision_sees_it if {
	facts := given.about([given.record({"asked_by_peer": true})])
	decision := given.decide(given.asks(given.nobody, "audit.receipt", facts))
	decision.allow
	[reason.code | some reason in decision.reasons] == ["own_decision"]
	decision.output == {"open": [{"actions": ["access.evaluate"], "fields": ["*"]}]}
}

test_having_asked_for_one_decision_permits_nothing_else if {
	facts := given.about([given.record({"asked_by_peer": true})])
	given.refused(given.asks(given.nobody, "audit.query", facts), {"no_audit_role"})
	given.refused(given.asks(given.nobody, "audit.erase", facts), {"no_audit_role"})
}

test_a_hold_is_put_once if {
	filter := {"actions": ["access.evaluate"]}
	given.decide(given.asks(given.paul, "audit.hold", {"hold": {"found": false, "name": "case-7"}})).effects == [{
		"filter": filter,
		"kind": "audit.hold",
		"name": "case-7",
	}]
	given.refused(given.asks(given.paul, "audit.hold", {"hold": {"found": true, "name": "case-7"}}), {"hold_exists"})
}

test_a_hold_is_released_where_there_is_one if {
	given.decide(given.asks(given.paul, "audit.release", {"hold": {"found": true, "name": "case-7"}})).effects == [{
		"kind": "audit.release",
		"name": "case-7",
	}]
	given.refused(given.asks(given.paul, "audit.release", {"hold": {"found": false, "name": "c"}}), {"unknown_hold"})
}
