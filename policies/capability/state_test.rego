package assay.capability.state_test

import data.assay.capability.given_test as given

revoked(entry) := given.with_state({"revocations": [entry]})

foreign(state) := given.asks("capability.use", {"state": state})

test_a_revoked_token_is_refused if {
	every kind in ["key", "tenant", "token"] {
		given.refused(revoked({"kind": kind}), "token_revoked")
		given.refused(revoked({"kind": kind, "until": given.now + 1}), "token_revoked")
		given.allowed(revoked({"kind": kind, "until": given.now}))
	}
}

test_a_token_of_a_key_that_is_not_in_force_is_refused if {
	given.allowed(given.with_token({"key_state": "grace"}))
	given.refused(given.with_token({"key_state": "retired"}), "token_revoked")
	given.refused(given.with_token({"key_state": "revoked"}), "token_revoked")
}

test_a_lease_is_on_record_for_its_cell_and_tenant if {
	given.refused(given.asks("capability.use", {"state": object.remove(given.state, ["lease"])}), "lease_unknown")
	given.refused(given.with_state({"lease": object.union(given.lease, {"cell": "cell-b"})}), "lease_unknown")
	given.refused(given.with_state({"lease": object.union(given.lease, {"tenant": "evil"})}), "lease_unknown")
}

test_a_lease_that_has_ended_is_refused if {
	every state in ["freed", "revoked"] {
		given.refused(given.with_state({"lease": object.union(given.lease, {"state": state})}), "lease_revoked")
	}
	given.refused(given.with_state({"lease": object.union(given.lease, {"expires_at": given.now})}), "lease_expired")
	given.refused(given.with_state({"lease": object.union(given.lease, {"state": "expired"})}), "lease_expired")
}

test_a_revocation_of_a_lease_is_of_all_its_tokens_or_of_the_older_ones if {
	given.refused(revoked({"kind": "lease"}), "lease_revoked")
	given.allowed(revoked({"kind": "lease", "until": given.now}))
	given.refused(revoked({"below": 5, "kind": "lease"}), "lease_generation_stale")
	given.allowed(revoked({"below": 4, "kind": "lease"}))
}

test_a_renewed_lease_has_one_generation if {
	given.refused(given.with_token({"gen": 3}), "lease_generation_stale")
	given.refused(given.with_token({"gen": 5}), "lease_generation_stale")
}

test_token_lease_and_operation_are_about_one_resource if {
	given.refused(given.with_token({"resource": "gpu-1"}), "resource_mismatch")
	given.refused(given.with_state({"lease": object.union(given.lease, {"resource": "gpu-1"})}), "resource_mismatch")
	given.refused(given.asks("capability.use", {"claimed": {"at": "cell-a", "operation": {"op": "submit", "resource": "gpu-1"}}}), "resource_mismatch")
}

test_the_resource_is_this_lease_s if {
	given.refused(given.with_state({"resource": {"lease": "l1", "state": "fenced"}}), "resource_fenced")
	given.refused(given.with_state({"resource": {"lease": "l1", "state": "tearing_down"}}), "resource_fenced")
	given.refused(given.with_state({"resource": {"lease": "l2", "state": "leased"}}), "resource_fenced")
	given.refused(given.asks("capability.use", {"state": object.remove(given.state, ["resource"])}), "resource_fenced")
}

test_of_a_foreign_cell_the_revocations_are_known if {
	given.allowed(foreign(given.foreign(given.now)))
	given.allowed(foreign(given.foreign(given.now - 9)))
	given.refused(foreign(given.foreign(given.now - 10)), "revocations_stale")
	given.refused(foreign({"cell": {"local": false}, "counters": {}, "revocations": []}), "revocations_stale")
	given.refused(foreign(object.union(given.foreign(given.now), {"revocations": [{"kind": "lease"}]})), "lease_revoked")
	given.refused(foreign(object.union(given.foreign(given.now), {"revocations": [{"below": 5, "kind": "lease"}]})), "lease_generation_stale")
}
