package assay.capability_test

import data.assay.capability.given_test as given

test_a_token_of_an_active_lease_permits if {
	decision := given.decide(given.with_token({}))
	decision.allow
	decision.effects == []
	[reason.code | some reason in decision.reasons] == ["token_accepted"]
	decision.output == {
		"expires": given.now + 200,
		"generation": 4,
		"lease": "l1",
		"tenant": "acme",
		"token": given.handle,
	}
}

test_a_denial_tells_nothing_of_the_token if {
	not given.decide(given.with_token({"check": "signature_invalid"})).output
}

test_a_malformed_payload_is_refused_whatever_it_was_for if {
	every action in ["capability.report", "capability.sweep", "capability.use"] {
		given.refused(given.asks(action, {"payload": {"check": "malformed", "problem": "/: expected an object"}}), "malformed_request")
	}
}

test_a_freeze_holds_here_too if {
	decision := data.assay.capability.decision with input as given.with_token({})
		with data.freeze as {"actions": ["capability.use"]}
	not decision.allow
}

# Everything is wrong; what is mended from the front brings the next reason to light.
worst := {
	"claimed": {"at": "cell-b", "operation": {"op": "submit", "resource": "gpu-1"}},
	"proof": {"check": "absent"},
	"state": {
		"cell": {"local": true},
		"counters": {},
		"elsewhere": {"reported": true},
		"lease": {
			"cell": "cell-c",
			"expires_at": given.now,
			"generation": 5,
			"resource": "gpu-2",
			"state": "revoked",
			"tenant": "acme",
		},
		"resource": {"state": "fenced"},
		"revocations": [{"kind": "token"}],
	},
	"token": {
		"aud": "cell-a",
		"bound": true,
		"caveats": {"op": [["read"], 1]},
		"check": "too_large",
		"exp": given.now,
		"gen": 4,
		"handles": [given.handle],
		"iat": given.now + 31,
		"iss": "cell-c",
		"jti": "j",
		"key_state": "active",
		"lease": "l1",
		"resource": "gpu-0",
		"sealed": false,
		"signer": "AAAA",
		"surplus": [],
		"tenant": "acme",
		"unsupported": 1,
	},
}

mending := [
	["too_large", {"token": {"check": "malformed"}}],
	["malformed", {"token": {"check": "weak_key"}}],
	["weak_key", {"token": {"check": "issuer_unknown"}}],
	["issuer_unknown", {"token": {"check": "signature_invalid"}}],
	["signature_invalid", {"token": {"check": "valid"}}],
	["issuer_mismatch", {"token": {"iss": "cell-a"}}],
	["audience_mismatch", {"claimed": {"at": "cell-a"}}],
	["not_yet_valid", {"token": {"iat": given.now - 1000}}],
	["lease_expired", {"token": {"exp": given.now + 1}}],
	["ttl_exceeds_max", {"token": {"iat": given.now - 299}}],
	["unsupported_caveat", {"token": {"unsupported": 0}}],
	["malformed_caveat", {"token": {"caveats": {"op": [["read"]]}}}],
	["token_revoked", {"state": {"revocations": []}}],
	["lease_unknown", {"state": {"lease": {"cell": "cell-a"}}}],
	["lease_revoked", {"state": {"lease": {"state": "active"}}}],
	["lease_expired", {"state": {"lease": {"expires_at": given.now + 1}}}],
	["lease_generation_stale", {"state": {"lease": {"generation": 4}}}],
	["resource_mismatch", {"claimed": {"operation": {"resource": "gpu-0"}}, "state": {"lease": {"resource": "gpu-0"}}}],
	["resource_fenced", {"state": {"resource": {"lease": "l1", "state": "leased"}}}],
	["caveat_denied", {"token": {"caveats": {"op": [["submit"]]}}}],
	["proof_missing", {"proof": {"check": "key_mismatch"}}],
	["proof_invalid", {"proof": {"check": "valid", "id": given.handle, "seen_until": given.now, "time": given.now}}],
	["replayed", {"proof": {"seen_until": given.now - 1}}],
]

mended(steps) := object.union_n([facts | some facts in array.concat([worst], steps)])

test_one_reason_is_given_and_it_is_the_first_in_the_order if {
	every i, step in mending {
		given.refused(given.asks("capability.use", mended([done[1] | some j, done in mending; j < i])), step[0])
	}
	given.allowed(given.asks("capability.use", mended([done[1] | some done in mending])))
}
