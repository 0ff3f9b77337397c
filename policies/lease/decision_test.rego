package assay.lease.decision_test

import data.assay.lease
import data.assay.lease.given_test as given
import data.assay.lease.issuer
import data.assay.lease.state

test_what_cannot_be_read_is_refused_first if {
	given.refused(given.asks(given.nobody, "lease.grant", {"payload": {"check": "malformed"}}), "malformed_request")
	given.refused(given.asks(given.nobody, "lease.renew", {"payload": {"check": "weak_key"}}), "weak_key")
	given.refused(given.asks(given.nobody, "lease.torn-down", {"payload": {"check": "malformed"}}), "malformed_request")
}

called(members) := given.observing({"caller": object.union(given.caller, members)})

test_then_whoever_calls_must_be_who_it_says if {
	given.refused(called({"check": "signature_invalid"}), "caller_invalid")
	given.refused(called({"nonce_state": "seen"}), "caller_replayed")
}

test_then_the_lease_must_be_there_and_the_peer_permitted if {
	given.refused(given.asks(given.nobody, "lease.revoke", {}), "lease_unknown")
	given.refused(given.granting_as(given.acme, {"resource": given.fenced}), "no_lease_role")
}

test_of_many_problems_the_first_is_told if {
	given.refused(given.granting({"cell": given.no_cell, "resource": given.fenced, "tenant": given.no_tenant}), "cell_unknown")
	given.refused(given.granting({"resource": given.fenced, "revoked": {"tenant": {}}}), "tenant_revoked")
	stale := {
		"lease": given.lease_record({"expires_at": given.now, "state": "revoked"}),
		"payload": {"check": "valid", "generation": 1, "nk": given.key, "ttl": 60},
	}
	given.refused(given.renewing(stale), "lease_revoked")
}

test_a_problem_without_a_place_in_the_order_refuses_too if {
	strange := {{"code": "strange", "message": "", "rule": "test"}}
	decision := lease.decision with input as given.granting({})
		with data.lease as given.policy_data
		with issuer.problems as strange
		with state.problems as set()
	not decision.allow
	[reason.code | some reason in decision.reasons] == ["strange"]
}

test_a_freeze_holds_here_too if {
	decision := lease.decision with input as given.granting({})
		with data.lease as given.policy_data
		with data.freeze as {"actions": ["lease.grant"]}
	not decision.allow
}

test_the_nonce_of_a_call_that_counts_is_kept if {
	decision := given.decide(given.observing({"caller": given.caller}))
	decision.effects == [
		{"cell": "cell-a", "kind": "lease.hear", "nonce": given.caller.nonce, "time": given.now},
		{"kind": "lease.clear", "resource": "gpu-0"},
	]
}
