package assay.signer.create_test

import data.assay.signer.given_test as given

creates(changes) := given.asks(given.operator, "create", changes)

rotates(peer, changes) := given.asks(peer, "rotate", changes)

created(changes) := given.asks(given.outbox, "created", changes)

test_a_first_key_is_as_its_scope_says if {
	effects := given.allowed(creates([]), "creation_begun")
	given.stored(effects) == given.record([], {
		"creating": {"after": 0, "emergency": false, "publish": false, "wanted": true},
		"set_version": 0,
	})
	effects[1] == {"after": 0, "algorithm": "ed25519", "kind": "signer.make", "name": "task", "scope": "task"}
}

test_a_next_version_comes_after_all_others if {
	effects := given.allowed(creates([given.key([given.retired(7), given.active(9)], {})]), "creation_begun")
	effects[1].after == 9
	given.stored(effects).set_version == 4
}

test_scopes_and_algorithms_are_named if {
	given.refused(creates([given.says({"scope": "cell"})]), "scope_not_managed")
	given.refused(creates([given.says({"algorithm": "ecdsa-p256"})]), "algorithm_not_allowed")
	given.allowed(creates([given.says({"algorithm": "ed25519"})]), "creation_begun")
	same := [given.says({"algorithm": "ecdsa-p256"}), given.key([], {"algorithm": "ecdsa-p256"})]
	given.allowed(creates(same), "creation_begun")
	given.refused(creates([given.says({"algorithm": "ecdsa-p256"}), given.key([], {})]), "algorithm_not_allowed")
}

test_one_is_made_at_a_time if {
	given.refused(creates([given.key([], {"creating": given.creating({})})]), "creation_pending")
	given.refused(rotates(given.operator, [given.key([given.active(1)], {"creating": given.creating({})})]), "creation_pending")
}

test_a_record_has_an_end if {
	many := [given.retired(number) | some number in numbers.range(1, 255)]
	given.refused(creates([given.key(many, {})]), "too_many_versions")
	given.allowed(creates([given.key(array.slice(many, 0, 254), {})]), "creation_begun")
}

test_a_rotation_makes_the_next_version_and_publishes_it if {
	effects := given.allowed(rotates(given.operator, [given.key([given.active(1)], {})]), "rotation_begun")
	given.stored(effects).creating == given.creating({"publish": true})
}

test_what_is_not_rotated if {
	given.refused(rotates(given.operator, []), "unknown_key")
	given.refused(rotates(given.operator, [given.key([given.revoked(1)], {})]), "no_active_key")
	given.refused(rotates(given.operator, [given.key([given.active(1), given.fresh(2)], {})]), "successor_waits")
}

test_the_schedule_rotates_what_is_due if {
	given.allowed(rotates(given.rotation, [given.key([given.active(1)], {"rotate_after": 1000})]), "rotation_begun")
	given.refused(rotates(given.rotation, [given.key([given.active(1)], {"rotate_after": 1001})]), "rotation_not_due")
	given.refused(rotates(given.rotation, [given.key([given.active(1)], {"rotate_after": 0})]), "rotation_not_due")
}

test_what_custody_has_made_is_recorded if {
	effects := given.allowed(created([given.says({"version": 2}), given.made(2), given.key([given.active(1)], {"creating": given.creating({})})]), "created")
	record := given.stored(effects)
	record.creating == given.no_creating
	record.versions[1] == object.union(given.fresh(2), {"created_at": given.now})
	effects[0] == {"kind": "signer.claim", "name": "task", "public_key": "key-2", "scope": "task", "version": 2}
	not given.told(effects)
	given.moved(effects) == []
}

test_a_rotation_tells_verifiers if {
	effects := given.allowed(created([given.says({"version": 2}), given.made(2), given.key([given.active(1)], {"creating": given.creating({"publish": true})})]), "created")
	record := given.stored(effects)
	record.set_version == 5
	record.versions[1].published == 5
	given.told(effects) == {
		"issued_at": given.now,
		"keys": [
			{"alg": "ed25519", "kid": "001", "not_before": given.now - 1000, "state": "active", "x": "key-1"},
			{"alg": "ed25519", "kid": "002", "state": "pre-active", "x": "key-2"},
		],
		"schema": "task-verifiers.v1",
		"scope": "node-task-signing",
		"version": 5,
	}
}

test_the_successor_of_a_revoked_key_is_activated_at_once if {
	effects := given.allowed(created([given.says({"version": 2}), given.made(2), given.key([given.revoked(1)], {"creating": given.creating({"emergency": true})})]), "created")
	given.stored(effects).pending == {"emergency": true, "rollback_of": 0, "version": 2}
	given.moved(effects) == [[2, "active"]]
	not given.told(effects)
}

test_nobody_waits_for_it if {
	given.refused(created([given.says({"version": 2}), given.made(2), given.key([given.active(1)], {})]), "creation_not_due")
	given.refused(created([given.says({"version": 2}), given.made(2)]), "creation_not_due")
}

test_custody_may_fail if {
	effects := given.allowed(created([given.says({"failed": "scope_mismatch"}), given.key([given.active(1)], {"creating": given.creating({})})]), "creation_failed")
	effects == [{"key": given.record([given.active(1)], {}), "kind": "signer.store"}]
}

test_what_is_no_next_version_never_signs if {
	key := given.key([given.active(1)], {"creating": given.creating({})})
	effects := given.allowed(created([given.says({"version": 1}), given.made(2), key]), "key_discarded")
	given.states(given.stored(effects)) == ["active"]
	twice := {"made": object.union(given.made(2).made, {"known": true})}
	given.allowed(created([given.says({"version": 2}), twice, key]), "key_discarded")
	given.allowed(created([given.says({"version": 2}), key]), "key_discarded")
}

secret := {"scope": "secret", "set": {"name": "", "root": ""}, "set_version": 0}

digest := {"made": {"check": "valid", "kid": "002", "known": false, "public_key": ""}}

test_a_secret_has_a_digest_and_a_key_a_public_half if {
	wanted := {"creating": given.creating({})}
	of_secret := [given.says({"scope": "secret", "version": 2}), given.key([given.active(1)], object.union(secret, wanted))]
	effects := given.allowed(created(array.concat(of_secret, [digest])), "created")
	given.states(given.stored(effects)) == ["active", "pre-active"]
	[effect.kind | some effect in effects] == ["signer.store"]
	given.allowed(created(array.concat(of_secret, [given.made(2)])), "key_discarded")
	given.allowed(created([given.says({"version": 2}), given.key([given.active(1)], wanted), digest]), "key_discarded")
}
