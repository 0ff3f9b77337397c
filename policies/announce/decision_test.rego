package assay.announce_test

import data.assay.announce
import data.assay.announce.given_test as given

malformed := {"payload": {"check": "malformed", "problem": "/: expected an object"}}

test_a_malformed_payload_comes_first if {
	every action in ["announce.learn", "announce.publish", "announce.receive", "announce.revocations"] {
		given.refused(given.asks(given.operator, action, malformed), "malformed_request")
	}
	given.refused(given.asks(given.nobody, "announce.revoke", malformed), "malformed_request")
}

test_who_may_ask_stands_in_the_data if {
	given.refused(given.asks(given.nobody, "announce.publish", {}), "peer_not_allowed")
	given.refused(given.asks(given.nobody, "announce.revoke", {}), "peer_not_allowed")
	given.refused(given.asks(given.operator, "announce.sweep", {}), "peer_not_allowed")
	given.refused(given.asks(given.nobody, "announce.unheard-of", {}), "peer_not_allowed")
	given.refused(
		given.asks({"id": "eve", "kind": "user"}, "announce.revoke", {"cell": given.local_cell}),
		"peer_not_allowed",
	)
	given.allowed(given.asks(given.carol, "announce.revoke", {"cell": given.local_cell}), {"peer_allowed"})
}

test_a_freeze_holds_here_too if {
	decision := announce.decision with input as given.receives(given.controller, given.announcement)
		with data.announce as given.policy_data
		with data.freeze as {"actions": ["announce.receive"]}
	not decision.allow
	not decision.output
}

test_an_action_that_nobody_describes_changes_nothing if {
	everything := object.union(given.policy_data, {"permits": [{
		"actions": ["announce.unheard-of"],
		"peer": {"kind": "*"},
	}]})
	decision := announce.decision with input as given.asks(given.operator, "announce.unheard-of", {})
		with data.announce as everything
		with data.freeze as {"actions": []}
	decision.effects == []
	decision.output == {}
}
