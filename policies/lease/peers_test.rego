package assay.lease.peers_test

import data.assay.lease.given_test as given

test_an_operator_acts_on_everything if {
	given.allowed(given.granting({"tenant": {"found": true, "name": "other", "state": "active"}}), "granted")
	given.allowed(given.adding({}), "resource_added")
	given.allowed(given.ending("lease.revoke", {}), "ended")
}

test_a_peer_acts_for_its_tenant_only if {
	acme := {"found": true, "name": "acme", "state": "active"}
	given.allowed(given.granting_as(given.acme, {"tenant": acme}), "granted")
	given.allowed(given.granting_as(given.nobody, {}), "granted")
	given.refused(given.granting_as(given.acme, {}), "no_lease_role")
	given.refused(given.granting_as(given.nobody, {"tenant": acme}), "no_lease_role")
	given.refused(given.granting_as({"id": "other", "kind": "service"}, {"tenant": acme}), "no_lease_role")
}

test_a_lease_is_renewed_for_the_tenant_that_has_it if {
	of_acme := {"lease": given.lease_record({"tenant": "acme"})}
	given.allowed(given.renewing_as(given.acme, of_acme), "renewed")
	given.refused(given.renewing_as(given.nobody, of_acme), "no_lease_role")
}

test_what_is_not_a_tenant_s_is_not_permitted_to_it if {
	every action in ["lease.add-resource", "lease.expire", "lease.request-reset", "lease.revoke"] {
		given.refused(
			given.asks(given.nobody, action, {"lease": given.lease_record({}), "tenant": given.demo}),
			"no_lease_role",
		)
	}
}

test_anyone_frees_what_it_knows_the_id_of if {
	freeing := given.asks(given.nobody, "lease.free", {"lease": given.lease_record({}), "resource": given.leased})
	given.allowed(freeing, "ended")
}

seen_by(cell) := given.asks(given.nobody, "lease.observed", {
	"caller": object.union(given.caller, {"cell": cell}),
	"payload": {"check": "valid", "epoch": 6},
	"resource": given.fenced,
})

test_a_cell_acts_on_its_own_resources if {
	given.allowed(seen_by("cell-a"), "reset_observed")
	given.refused(seen_by("cell-b"), "no_lease_role")
}

added_by(cell) := given.asks(given.nobody, "lease.add-resource", {
	"caller": object.union(given.caller, {"cell": cell}),
	"cell": given.local_cell,
})

test_a_cell_adds_resources_of_its_own if {
	given.allowed(added_by("cell-a"), "resource_added")
	given.refused(added_by("cell-b"), "no_lease_role")
}

test_a_cell_does_only_what_cells_may if {
	reset := given.asks(given.nobody, "lease.request-reset", {"caller": given.caller, "resource": given.fenced})
	given.refused(reset, "no_lease_role")
}
