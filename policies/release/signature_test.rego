package assay.release.signature_test

import data.assay.release.given_test as given

test_each_problem_of_a_signature_is_its_reason if {
	every check in [
		"key_id_mismatch",
		"malformed_signature",
		"signature_invalid",
		"trusted_comment_invalid",
		"unsupported_algorithm",
	] {
		given.refused(given.verifies({"sums_signature": given.failing(check)}), check)
		given.refused(given.verifies({"artifact_signature": given.failing(check)}), check)
	}
	given.refused(given.verifies({"sums_signature": {"check": "absent"}}), "signature_missing")
	given.refused(given.verifies({"artifact_signature": {"check": "absent"}}), "signature_missing")
}

test_an_unknown_key_is_none_of_ours if {
	unknown := {"algorithm": "prehashed", "check": "key_id_mismatch", "key_id": given.second_id}
	given.refused(given.verifies({"sums_signature": unknown}), "key_id_mismatch")
}

test_legacy_counts_where_the_policy_says_so if {
	legacy := given.verifies({"artifact_signature": given.signature({"algorithm": "legacy"})})
	given.allowed(legacy, "ok")
	given.refused_with(legacy, given.data_with({"legacy": false}), "unsupported_algorithm")
}

test_legacy_that_is_refused_is_not_looked_into if {
	wrong := given.verifies({"sums_signature": object.union(given.failing("signature_invalid"), {"algorithm": "legacy"})})
	given.refused(wrong, "signature_invalid")
	given.refused_with(wrong, given.data_with({"legacy": false}), "unsupported_algorithm")
}

test_a_file_too_large_for_a_legacy_signature_is_refused if {
	missing := object.union(given.failing("content_missing"), {"algorithm": "legacy"})
	given.refused(given.verifies({"artifact_signature": missing}), "unsupported_algorithm")
}

signed_by(pin) := given.verifies({
	"artifact_signature": given.signature({"pin": pin}),
	"sums_signature": given.signature({"pin": pin}),
})

test_a_key_counts_until_the_end_of_its_grace if {
	given.allowed(signed_by(given.in_grace(given.now + 1)), "ok")
	given.refused(signed_by(given.in_grace(given.now)), "key_id_mismatch")
}

test_a_key_that_is_over_counts_no_more if {
	given.refused(signed_by(object.union(given.pin, {"state": "retired"})), "key_id_mismatch")
	given.refused(signed_by(object.union(given.pin, {"state": "revoked"})), "key_id_mismatch")
}
