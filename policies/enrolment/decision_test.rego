package assay.enrolment_test

import data.assay.enrolment.given_test as given

# Each line breaks one thing more than the line before it: the first in the order is told.
test_one_reason_and_the_first_in_order if {
	owner_conflict := given.registered("cell", "cell-b", "active")
	given.refused(given.binds(given.scheduler, [owner_conflict]), "key_owner_conflict")
	given.refused(given.binds(given.nobody, [owner_conflict]), "peer_not_permitted")
	by_nobody := [owner_conflict, {"hand_over": given.forged}]
	given.refused(given.binds(given.nobody, by_nobody), "hand_over_invalid")
	unknown := {"caller": object.union(given.called_by("cell-x"), {"check": "cell_unknown"})}
	given.refused(given.binds(given.nobody, array.concat(by_nobody, [unknown])), "caller_unknown")
	forged := array.concat(by_nobody, [unknown, {"proof": given.forged}])
	given.refused(given.binds(given.nobody, forged), "proof_invalid")
	weak := [given.key({"check": "weak_key"}), {"proof": given.forged}]
	given.refused(given.binds(given.nobody, weak), "weak_key")
	malformed := array.concat(weak, [given.payload({"check": "malformed", "problem": "/"})])
	given.refused(given.binds(given.nobody, malformed), "malformed_request")
}

test_a_freeze_holds_here_too if {
	decision := data.assay.enrolment.decision with input as given.binds(given.operator, [])
		with data.enrolment as given.policy_data
		with data.freeze as {"actions": ["*"]}
	not decision.allow
}

prove(peer, keys) := given.asks(peer, "enrolment.prove", [
	given.owner("cell", "cell-a", keys),
	{"proof": given.absent},
	given.key({"check": "absent", "public_key": ""}),
])

test_a_key_that_is_here_proves_itself if {
	here := object.union(given.has(given.second, "active"), {"custody": "cell-a"})
	given.allowed(prove(given.nobody, [given.has(given.first, "grace"), here]), "proof_given") == [{
		"cell": "cell-a",
		"custody": "cell-a",
		"kind": "enrolment.prove",
		"public_key": given.second,
	}]
}

test_a_key_that_is_elsewhere_or_out_of_use_does_not if {
	given.refused(prove(given.operator, []), "key_not_here")
	given.refused(prove(given.operator, [given.has(given.first, "active")]), "key_not_here")
	revoked := object.union(given.has(given.first, "revoked"), {"custody": "cell-a"})
	given.refused(prove(given.operator, [revoked]), "key_not_here")
}

test_the_nonce_of_an_accepted_call_is_kept if {
	effects := given.allowed(given.binds(given.operator, [{"caller": given.called_by("cell-a")}]), "enrolled")
	effects[1] == {
		"cell": "cell-a",
		"kind": "enrolment.heard",
		"nonce": "AAAAAAAAAAAAAAAAAAAAAA",
		"time": given.now,
	}
}
