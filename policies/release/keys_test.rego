package assay.release.keys_test

import data.assay.release.given_test as given

pins(key) := given.asks("release.pin", {"key": given.key(key)})

drops(key) := given.asks("release.drop", {"key": given.key(key)})

known := object.union(given.successor, {"public_key": "second"})

pinned := {"known": true, "pin": known}

over(state) := {"known": true, "pin": object.union(known, {"state": state})}

test_a_new_key_is_pinned if {
	decision := given.decide(pins({}))
	given.codes(decision) == ["pinned"]
	decision.effects == [{
		"key_id": given.second_id,
		"kind": "release.pin",
		"lineage": given.second_id,
		"public_key": "second",
	}]
	not decision.output
}

test_pinning_again_changes_nothing if {
	given.allowed(pins(pinned), "already_pinned")
	given.decide(pins(pinned)).effects == []
}

test_what_is_no_key_is_not_pinned if {
	given.refused(pins({"check": "malformed"}), "malformed_key")
	given.refused(pins({"check": "weak_key"}), "weak_key")
}

test_a_key_has_one_scope if {
	given.refused(pins({"scope": "cell"}), "key_scope_conflict")
	given.allowed(pins({"scope": "release"}), "pinned")
}

test_a_key_has_one_id_and_an_id_one_key if {
	given.refused(pins({"pin": given.pin}), "key_id_conflict")
	given.refused(pins({"known": true}), "key_id_conflict")
}

test_nothing_leads_back if {
	given.refused(pins(over("retired")), "key_not_active")
	given.refused(pins(over("revoked")), "key_not_active")
}

test_a_pin_is_dropped if {
	decision := given.decide(drops(pinned))
	given.codes(decision) == ["dropped"]
	decision.effects == [{"key_id": given.second_id, "kind": "release.state", "state": "revoked"}]
}

test_only_a_pin_is_dropped if {
	given.refused(drops({}), "unknown_key")
	given.refused(drops({"known": true, "pin": given.pin}), "unknown_key")
}

hands_over(members) := given.asks("release.hand-over", given.replace_members(
	{"hand_over": given.signature({}), "key": given.key({})},
	members,
))

test_a_pinned_key_names_its_successor if {
	decision := given.decide(hands_over({}))
	given.codes(decision) == ["handed_over"]
	decision.effects == [
		{
			"key_id": given.second_id,
			"kind": "release.pin",
			"lineage": given.first_id,
			"predecessor": given.first_id,
			"public_key": "second",
		},
		{"key_id": given.first_id, "kind": "release.state", "state": "grace", "until": given.now + 100},
	]
}

test_a_hand_over_needs_a_signature_that_counts if {
	every check in ["malformed_signature", "signature_invalid", "trusted_comment_invalid"] {
		given.refused(hands_over({"hand_over": given.failing(check), "key": given.no_key}), check)
	}
	given.refused(hands_over({"hand_over": {"check": "absent"}, "key": given.no_key}), "signature_missing")
}

test_a_key_hands_over_once if {
	spent := given.signature({"pin": given.in_grace(given.now + 5)})
	given.refused(hands_over({"hand_over": spent}), "key_not_active")
	gone := given.signature({"pin": given.in_grace(given.now)})
	given.refused(hands_over({"hand_over": gone}), "key_id_mismatch")
}

test_a_successor_is_a_new_key if {
	given.refused(hands_over({"key": given.key(pinned)}), "key_not_active")
	given.refused(hands_over({"key": given.key({"check": "malformed"})}), "malformed_key")
	given.refused(hands_over({"key": given.key({"pin": given.pin})}), "key_id_conflict")
	given.refused(hands_over({"key": given.key({"scope": "tenant"})}), "key_scope_conflict")
}
