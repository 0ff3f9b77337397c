package assay.task.keys_test

import data.assay.task.given_test as given

by(each) := given.accepts({"signature": given.signed(each)})

key(members) := given.signature(members)

state(name) := by([key({"state": name})])

invalid := {"check": "invalid", "hinted": true, "revoked": false}

unknown := {"check": "unknown", "hinted": true, "revoked": false}

# As it is without a signature that holds.
failed(check, each) := given.accepts({"signature": {"check": check, "each": each}})

test_a_key_signs_in_its_time if {
	given.allowed(state("active"), "accepted")
	given.refused(state("pre-active"), "key_not_active")
	given.refused(state("retired"), "key_retired")
	given.refused(state("revoked"), "key_revoked")
}

test_an_active_key_may_be_ahead_as_far_as_the_clocks if {
	given.allowed(by([key({"not_before": given.now + 300})]), "accepted")
	given.refused(by([key({"not_before": given.now + 301})]), "key_not_active")
}

test_grace_ends_by_the_clock if {
	given.allowed(by([key({"grace_until": given.now + 1, "state": "grace"})]), "accepted")
	given.refused(by([key({"grace_until": given.now, "state": "grace"})]), "key_grace_over")
	given.refused(state("grace"), "key_grace_over")
}

test_what_was_ever_revoked_is_revoked if {
	given.refused(by([key({"revoked": true})]), "key_revoked")
	given.refused(failed("unknown", [object.union(unknown, {"revoked": true})]), "key_revoked")
}

test_signatures_that_do_not_hold if {
	given.refused(failed("invalid", [invalid]), "signature_invalid")
	given.refused(failed("unknown", [unknown]), "key_unknown")
	given.refused(failed("invalid", [unknown, invalid]), "signature_invalid")
}

test_one_usable_key_is_enough if {
	given.allowed(by([unknown, invalid, key({"state": "retired"}), key({})]), "accepted")
	given.refused(by([unknown, invalid, key({"state": "retired"})]), "key_retired")
}

test_a_key_that_is_not_named if {
	unnamed := by([key({"hinted": false})])
	given.allowed(unnamed, "accepted")
	strict := given.replace_members(given.policy_data, {"require_keyid": true})
	given.refused_with(unnamed, strict, "keyid_missing")
	given.allowed_with(by([key({"hinted": false}), key({})]), strict, "accepted")
}
