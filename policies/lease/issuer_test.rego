package assay.lease.issuer_test

import data.assay.lease.given_test as given

# The same for a grant and for a renewal.
both_refused(facts, code) if {
	given.refused(given.granting(facts), code)
	given.refused(given.renewing(facts), code)
}

both_allowed(facts) if {
	given.allowed(given.granting(facts), "granted")
	given.allowed(given.renewing(facts), "renewed")
}

test_the_cell_is_enrolled_and_its_key_is_kept_here if {
	both_refused({"cell": object.union(given.no_cell, {"name": "cell-a"})}, "cell_unknown")
	both_refused({"cell": object.union(given.local_cell, {"local": false})}, "cell_not_local")
	both_refused({"cell": object.union(given.local_cell, {"custody": ""})}, "key_missing")
}

test_the_key_is_not_revoked if {
	both_refused({"revoked": {"key": {}}}, "key_revoked")
	both_refused({"revoked": {"key": {"until": given.now + 1}}}, "key_revoked")
	both_allowed({"revoked": {"key": {"until": given.now}}})
}

test_the_tenant_is_registered_and_not_revoked if {
	given.refused(given.granting({"tenant": object.union(given.no_tenant, {"name": "demo"})}), "tenant_unknown")
	given.refused(given.renewing({"tenant": object.union(given.no_tenant, {"name": "demo"})}), "tenant_unknown")
	both_refused({"tenant": object.union(given.demo, {"state": "revoked"})}, "tenant_revoked")
	both_refused({"revoked": {"tenant": {}}}, "tenant_revoked")
	both_allowed({"revoked": {"tenant": {"until": given.now}}})
}

test_no_lease_is_longer_than_tokens_live if {
	given.refused(given.granting({"payload": {"check": "valid", "nk": given.key, "ttl": 301}}), "ttl_exceeds_max")
	renewal := {"check": "valid", "generation": 3, "nk": given.key, "ttl": 301}
	given.refused(given.renewing({"payload": renewal}), "ttl_exceeds_max")
	given.allowed(given.granting({"payload": {"check": "valid", "nk": given.key, "ttl": 300}}), "granted")
}

test_without_its_bound_no_lease_is_granted_or_renewed if {
	every asked in [given.granting({}), given.renewing({})] {
		decision := data.assay.lease.decision with input as asked
			with data.lease as object.remove(given.policy_data, ["max_ttl"])
			with data.freeze as {"actions": []}
		[reason.code | some reason in decision.reasons] == ["ttl_exceeds_max"]
	}
}

test_a_resource_is_added_by_the_kernel_of_its_cell if {
	given.refused(given.adding({"cell": object.union(given.no_cell, {"name": "cell-a"})}), "cell_unknown")
	given.refused(given.adding({"cell": object.union(given.local_cell, {"local": false})}), "cell_not_local")
	given.allowed(given.adding({"cell": object.union(given.local_cell, {"custody": ""})}), "resource_added")
}
