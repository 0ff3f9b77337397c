package assay.release_test

import data.assay.release.given_test as given

every_action := ["release.drop", "release.hand-over", "release.pin", "release.verify"]

test_a_malformed_payload_is_refused if {
	malformed := {"payload": {"check": "malformed", "problem": "/: expected an object"}}
	every action in every_action {
		given.refused(given.asks(action, malformed), "malformed_request")
		not given.decide(given.asks(action, malformed)).output
	}
}

test_not_everybody_decides_about_pins if {
	every action in ["release.drop", "release.hand-over", "release.pin"] {
		given.refused(given.from(given.anyone, given.asks(action, {})), "not_allowed_here")
	}
}

test_anybody_may_ask_about_a_release if {
	given.allowed(given.from(given.anyone, given.verifies({})), "ok")
}

test_a_freeze_holds_here_too if {
	decision := data.assay.release.decision with input as given.verifies({})
		with data.release as given.policy_data
		with data.freeze as {"actions": ["release.verify"]}
	not decision.allow
	decision.effects == []
}
