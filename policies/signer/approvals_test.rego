package assay.signer.approvals_test

import data.assay.signer.given_test as given

key := given.key([given.active(1), given.grace(2)], {})

by(peer, at) := {"at": at, "id": peer.id, "kind": peer.kind}

revokes(approvals) := given.asks(given.operator, "revoke", [
	given.says({"reason": "why", "version": 2}),
	key,
	{"approvals": {"digest": "aa", "given": approvals}},
])

recorded := [{
	"digest": "aa",
	"given": [by(given.operator, given.now)],
	"kind": "signer.approve",
}]

test_the_first_of_two_is_recorded if {
	given.allowed(revokes([]), "approval_recorded") == recorded
}

test_nobody_approves_twice if {
	given.allowed(revokes([by(given.operator, given.now - 1)]), "approval_recorded") == recorded
}

test_an_approval_does_not_last if {
	given.allowed(revokes([by(given.second, given.now - 3600)]), "approval_recorded") == recorded
}

test_the_second_of_two_does_it if {
	effects := given.allowed(revokes([by(given.second, given.now - 3599)]), "revoked")
	given.states(given.stored(effects)) == ["active", "revoked"]
	effects[count(effects) - 1] == {"digest": "aa", "kind": "signer.approved"}
}

test_the_schedule_was_approved_with_its_setting if {
	over := given.key([given.active(1), given.version(2, "grace", {"grace_until": given.now})], {})
	asked := given.asks(given.rotation, "retire", [given.says({"version": 2}), over])
	given.allowed(asked, "retired")
}
