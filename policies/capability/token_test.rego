package assay.capability.token_test

import data.assay.capability.given_test as given

test_what_the_plugin_found_is_the_reason if {
	every check in ["issuer_unknown", "malformed", "signature_invalid", "too_large", "weak_key"] {
		given.refused(given.asks("capability.use", {"token": {"check": check}}), check)
	}
}

test_a_check_that_nobody_knows_is_no_signature if {
	given.refused(given.asks("capability.use", {"token": {"check": "absent"}}), "signature_invalid")
}

test_a_cell_accepts_what_it_issued_for_itself if {
	given.refused(given.with_token({"iss": "cell-b"}), "issuer_mismatch")
	given.refused(given.with_token({"aud": "cell-c", "iss": "cell-b"}), "issuer_mismatch")
	given.refused(given.with_token({"aud": "cell-b", "iss": "cell-b"}), "audience_mismatch")
	given.refused(given.with_token({"aud": "cell-b"}), "audience_mismatch")
}

test_one_decision_point_serves_several_cells if {
	given.allowed(given.asks("capability.use", {
		"claimed": {"at": "cell-b", "operation": {"op": "submit", "resource": "gpu-0"}},
		"state": object.union(given.state, {"lease": {"cell": "cell-b"}}),
		"token": object.union(given.token, {"aud": "cell-b", "iss": "cell-b"}),
	}))
}

test_clocks_differ_at_the_beginning_and_not_at_the_end if {
	given.allowed(given.with_token({"iat": given.now + 30}))
	given.refused(given.with_token({"iat": given.now + 31}), "not_yet_valid")
	given.allowed(given.with_token({"exp": given.now + 1}))
	given.refused(given.with_token({"exp": given.now}), "lease_expired")
	given.refused(given.with_token({"exp": given.now + 9, "iat": given.now + 9}), "lease_expired")
}

test_no_token_is_for_long if {
	given.allowed(given.with_token({"exp": given.now + 200, "iat": given.now - 100}))
	given.refused(given.with_token({"exp": given.now + 201, "iat": given.now - 100}), "ttl_exceeds_max")
}

test_without_its_bounds_nothing_is_accepted if {
	every bound, code in {"max_ttl": "ttl_exceeds_max", "skew": "not_yet_valid"} {
		decision := data.assay.capability.decision with input as given.with_token({})
			with data.capability as object.remove(data.capability, [bound])
			with data.freeze as {"actions": []}
		[reason.code | some reason in decision.reasons] == [code]
	}
}
