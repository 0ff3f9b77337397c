package assay.signer.move_test

import data.assay.signer.given_test as given

asks(verb, version, changes) := given.asks(given.operator, verb, array.concat([given.says({"reason": "why", "version": version})], changes))

moves(version, state, changes) := given.asks(given.outbox, "moved", array.concat([given.says({"state": state, "version": version})], changes))

approved := {"approvals": {"digest": "aa", "given": [{"at": given.now - 1, "id": "second", "kind": "operator"}]}}

revokes(version, changes) := asks("revoke", version, array.concat([approved], changes))

test_what_is_not_there_is_not_moved if {
	every verb in ["activate", "retire", "rollback"] {
		given.refused(asks(verb, 1, []), "unknown_key")
		given.refused(asks(verb, 3, [given.key([given.active(1)], {})]), "unknown_version")
	}
	given.refused(revokes(1, []), "unknown_key")
	given.refused(revokes(3, [given.key([given.active(1)], {})]), "unknown_version")
	given.refused(asks("publish", 0, []), "unknown_key")
	given.refused(asks("schedule", 0, []), "unknown_key")
}

test_a_set_is_published_by_hand if {
	effects := given.allowed(asks("publish", 0, [given.key([given.active(1), given.fresh(2)], {})]), "published")
	given.told(effects).version == 5
	given.stored(effects).versions[1].published == 5
	effects[1].root == {"kid": "2948b42149c1fc43", "name": "verifier-root", "version": 1}
}

test_what_is_not_published if {
	given.refused(asks("publish", 0, [given.key([given.active(1)], {"set": {"name": "", "root": ""}})]), "no_set")
	given.refused(asks("publish", 0, [given.key([given.active(1)], {}), {"root": given.no_root}]), "root_not_active")
	task := {"root": object.union(given.root, {"scope": "task"})}
	given.refused(asks("publish", 0, [given.key([given.active(1)], {}), task]), "root_not_active")
	given.refused(asks("publish", 0, [given.key([given.waiting(1)], {})]), "no_active_key")
}

test_one_activation_at_a_time if {
	key := given.key([given.active(1), given.waiting(2), given.grace(3)], {"pending": given.pending(2)})
	given.refused(asks("activate", 2, [key]), "move_pending")
	given.refused(asks("rollback", 3, [key]), "move_pending")
	given.refused(asks("retire", 2, [key]), "move_pending")
}

test_the_set_needs_its_root if {
	given.refused(asks("activate", 2, [given.key([given.active(1), given.waiting(2)], {}), {"root": given.no_root}]), "root_not_active")
	given.refused(asks("rollback", 2, [given.key([given.active(1), given.grace(2)], {}), {"root": given.no_root}]), "root_not_active")
}

test_those_who_read_sets_verify_ed25519 if {
	letters := concat("", ["A" | some _ in numbers.range(1, 87)])
	p256 := {"root": object.union(given.root, {"public_key": letters})}
	every verb, version in {"activate": given.waiting(2), "publish": given.waiting(2), "rollback": given.grace(2)} {
		given.refused(asks(verb, 2, [given.key([given.active(1), version], {}), p256]), "root_not_ed25519")
	}
}

test_some_keys_a_person_activates if {
	by := given.asks(given.rotation, "activate", [given.says({"version": 2}), given.key([given.active(1), given.waiting(2)], {"auto": false})])
	given.refused(by, "activation_by_hand")
	auto := given.asks(given.rotation, "activate", [given.says({"version": 2}), given.key([given.active(1), given.waiting(2)], {})])
	given.allowed(auto, "activation_begun")
}

test_custody_has_activated_it if {
	effects := given.allowed(moves(2, "active", [given.key([given.active(1), given.waiting(2)], {"pending": given.pending(2)})]), "activated")
	record := given.stored(effects)
	given.states(record) == ["grace", "active"]
	record.pending == given.no_pending
	record.versions[0].grace_until == given.now + 600
	record.versions[1].activated_at == given.now
	given.moved(effects) == [[1, "grace"]]
	effects[2].not_before == given.now + 5
	given.told(effects).keys == [
		{"alg": "ed25519", "grace_until": given.now + 600, "kid": "001", "not_before": given.now - 1000, "state": "grace", "x": "key-1"},
		{"alg": "ed25519", "kid": "002", "not_before": given.now, "state": "active", "x": "key-2"},
	]
	not given.told(effects).emergency
	not given.told(effects).rollback_of
}

# Keys of the other algorithm under this name would make the whole set unreadable.
test_the_set_says_of_which_algorithm_its_keys_are if {
	key := given.key([given.active(1), given.fresh(2)], {"algorithm": "ecdsa-p256", "pending": object.union(given.no_pending, {"version": 2})})
	{each.alg | some each in given.told(given.allowed(moves(2, "active", [key]), "activated")).keys} == {"ecdsa-p256"}
}

test_the_set_says_why_it_is_unusual if {
	pending := {"pending": {"emergency": true, "rollback_of": 4, "version": 2}}
	document := given.told(given.allowed(moves(2, "active", [given.key([given.active(1), given.fresh(2)], pending)]), "activated"))
	document.emergency
	document.rollback_of == 4
	count(document.keys) == 2
}

test_a_key_without_a_set_is_activated_too if {
	key := given.key([given.fresh(2)], {"pending": given.pending(2), "set": {"name": "", "root": ""}, "set_version": 0})
	effects := given.allowed(moves(2, "active", [key]), "activated")
	[effect.kind | some effect in effects] == ["signer.store"]
	given.states(given.stored(effects)) == ["active"]
}

test_custody_may_fail if {
	failed := given.says({"failed": "invalid_transition", "state": "active", "version": 2})
	key := given.key([given.active(1), given.waiting(2)], {"pending": given.pending(2)})
	effects := given.allowed(given.asks(given.outbox, "moved", [failed, key]), "move_failed")
	effects == [{"key": given.record([given.active(1), given.waiting(2)], {}), "kind": "signer.store"}]
}

test_custody_agrees if {
	every state, key in {"grace": given.grace(1), "retired": given.retired(1), "revoked": given.revoked(1)} {
		given.allowed(moves(1, state, [given.key([key, given.active(2)], {})]), "confirmed") == []
	}
	given.refused(moves(1, "grace", [given.key([given.retired(1)], {})]), "move_not_due")
	given.refused(moves(2, "active", [given.key([given.waiting(2)], {})]), "move_not_due")
	given.refused(moves(2, "revoked", []), "move_not_due")
}

test_what_is_over_is_retired if {
	over := given.version(1, "grace", {"activated_at": 5, "grace_until": given.now})
	effects := given.allowed(asks("retire", 1, [given.key([over, given.active(2)], {})]), "retired")
	given.states(given.stored(effects)) == ["retired", "active"]
	given.moved(effects) == [[1, "retired"]]
	given.told(effects).keys[0] == {"alg": "ed25519", "kid": "001", "state": "retired", "x": "key-1"}
	given.allowed(asks("retire", 2, [given.key([given.active(1), given.fresh(2)], {})]), "retired")
}

test_grace_is_kept_unless_somebody_says_why_not if {
	key := given.key([given.grace(1), given.active(2)], {})
	given.refused(asks("retire", 1, [key]), "grace_not_over")
	anyway := given.says({"override": "nothing runs", "version": 1})
	given.allowed(given.asks(given.operator, "retire", [anyway, key]), "retired")
	given.refused(given.asks(given.deployer, "retire", [anyway, key]), "override_not_permitted")
}

test_what_was_revoked_counts_no_more if {
	effects := given.allowed(revokes(1, [given.key([given.grace(1), given.active(2)], {})]), "revoked")
	record := given.stored(effects)
	given.states(record) == ["revoked", "active"]
	given.moved(effects) == [[1, "revoked"]]
	given.told(effects).keys[0] == {
		"alg": "ed25519",
		"kid": "001",
		"reason": "why",
		"revoked_at": given.now,
		"state": "revoked",
		"x": "key-1",
	}
}

test_the_active_key_is_replaced_by_what_waits if {
	effects := given.allowed(revokes(1, [given.key([given.active(1), given.fresh(2), given.fresh(3)], {})]), "revoked")
	given.stored(effects).pending == {"emergency": true, "rollback_of": 0, "version": 3}
	given.moved(effects) == [[1, "revoked"], [3, "active"]]
	not given.told(effects)
}

test_the_active_key_is_replaced_by_a_new_one if {
	effects := given.allowed(revokes(1, [given.key([given.active(1)], {})]), "revoked")
	given.stored(effects).creating == given.creating({"emergency": true})
	[effect.kind | some effect in effects] == ["signer.move", "signer.store", "signer.make", "signer.approved"]
}

test_the_active_key_is_replaced_by_what_comes if {
	comes := given.allowed(revokes(1, [given.key([given.active(1)], {"creating": given.creating({"publish": true})})]), "revoked")
	given.stored(comes).creating == given.creating({"emergency": true})
	given.moved(comes) == [[1, "revoked"]]
	begun := given.allowed(revokes(1, [given.key([given.active(1), given.waiting(2)], {"pending": given.pending(2)})]), "revoked")
	given.stored(begun).pending == {"emergency": true, "rollback_of": 0, "version": 2}
	given.moved(begun) == [[1, "revoked"]]
}

test_an_activation_of_what_was_revoked_is_over if {
	effects := given.allowed(revokes(2, [given.key([given.active(1), given.waiting(2)], {"pending": given.pending(2)})]), "revoked")
	given.stored(effects).pending == given.no_pending
	given.told(effects).version == 5
}

test_a_key_that_was_never_active_needs_no_successor if {
	effects := given.allowed(revokes(1, [given.key([given.fresh(1)], {"set_version": 0})]), "revoked")
	given.stored(effects).creating == given.no_creating
	not given.told(effects)
}

test_a_rollback_is_told_in_a_later_set if {
	every key in [given.grace(1), given.retired(1)] {
		effects := given.allowed(asks("rollback", 1, [given.key([key, given.active(2)], {})]), "rollback_begun")
		given.stored(effects).pending == {"emergency": false, "rollback_of": 4, "version": 1}
		given.moved(effects) == [[1, "active"]]
	}
	never := given.version(1, "retired", {})
	given.refused(asks("rollback", 1, [given.key([never, given.active(2)], {})]), "never_active")
}

test_the_schedule_has_limits if {
	says := given.says({"auto": true, "grace_for": 3600, "rotate_after": 7})
	effects := given.allowed(given.asks(given.operator, "schedule", [says, given.key([], {})]), "scheduled")
	given.stored(effects) == given.record([], {"grace_for": 3600, "rotate_after": 7})
	long := given.says({"grace_for": 3601})
	given.refused(given.asks(given.operator, "schedule", [long, given.key([], {})]), "grace_too_long")
}
