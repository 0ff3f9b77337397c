package assay.capability.proof_test

import data.assay.capability.given_test as given

presented(proof) := given.asks("capability.use", {
	"proof": proof,
	"token": object.union(given.token, {"bound": true}),
})

valid := {"check": "valid", "id": given.handle, "time": given.now}

proven(members) := presented(object.union(valid, members))

test_a_proof_is_accepted_and_remembered if {
	decision := given.decide(proven({}))
	decision.allow
	decision.effects == [{"id": given.handle, "kind": "capability.remember", "until": given.now + 30}]
}

test_a_holder_proves_itself if {
	given.refused(presented({"check": "absent"}), "proof_missing")
	given.refused(presented({"check": "key_mismatch"}), "proof_invalid")
	given.refused(presented({"check": "signature_invalid"}), "proof_invalid")
}

test_a_proof_is_made_now if {
	given.allowed(proven({"time": given.now - 30}))
	given.allowed(proven({"time": given.now + 30}))
	given.refused(proven({"time": given.now - 31}), "proof_invalid")
	given.refused(proven({"time": given.now + 31}), "proof_invalid")
}

test_a_proof_is_presented_once if {
	given.refused(proven({"seen_until": given.now}), "replayed")
	given.allowed(proven({"seen_until": given.now - 1}))
}

test_whoever_has_a_token_without_a_holder_presents_it if {
	decision := given.decide(given.asks("capability.use", {"proof": valid}))
	decision.allow
	decision.effects == []
	given.refused(given.asks("capability.use", {"proof": {"check": "signature_invalid"}}), "proof_invalid")
}

test_without_its_bound_no_proof_is_accepted if {
	decision := data.assay.capability.decision with input as proven({})
		with data.capability as object.remove(data.capability, ["proof_window"])
		with data.freeze as {"actions": []}
	[reason.code | some reason in decision.reasons] == ["proof_invalid"]
}
