package assay.lease.state_test

import data.assay.lease.given_test as given

unknown := {"found": false}

test_a_lease_that_is_not_there if {
	every action in ["lease.expire", "lease.free", "lease.revoke"] {
		given.refused(given.ending(action, {"lease": unknown}), "lease_unknown")
	}
	given.refused(given.renewing({"lease": unknown}), "lease_unknown")
	given.refused(given.reporting(true, {"lease": unknown}), "lease_unknown")
}

test_a_resource_that_is_not_there if {
	nothing := {"resource": {"found": false, "name": "gpu-9"}}
	given.refused(given.granting(nothing), "resource_unknown")
	given.refused(given.observing(nothing), "resource_unknown")
	given.refused(given.asks(given.operator, "lease.request-reset", nothing), "resource_unknown")
	given.refused(given.reporting(true, nothing), "resource_unknown")
}

test_only_what_is_free_is_granted if {
	given.refused(given.granting({"resource": given.leased}), "resource_leased")
	given.refused(given.granting({"resource": given.tearing}), "resource_tearing_down")
	given.refused(given.granting({"resource": given.fenced}), "resource_fenced")
	given.refused(given.granting({"resource": given.resource_record({"cell": "cell-b"})}), "cell_mismatch")
}

test_a_resource_is_one_cell_s if {
	given.refused(given.adding({"resource": given.resource_record({"cell": "cell-b"})}), "cell_mismatch")
}

in_state(state) := {"lease": given.lease_record({"state": state})}

test_what_has_ended_is_not_renewed if {
	given.refused(given.renewing(in_state("revoked")), "lease_revoked")
	given.refused(given.renewing(in_state("freed")), "lease_freed")
	given.refused(given.renewing(in_state("expired")), "lease_expired")
	given.refused(given.renewing({"lease": given.lease_record({"expires_at": given.now})}), "lease_expired")
	given.allowed(given.renewing({"lease": given.lease_record({"expires_at": given.now + 1})}), "renewed")
}

revoked(entry) := {"revoked": {"lease": entry}}

test_a_revocation_counts_for_the_generations_below_it if {
	given.refused(given.renewing(revoked({"until": given.now + 1})), "lease_revoked")
	given.refused(given.renewing(revoked({"below": 4, "until": given.now + 1})), "lease_revoked")
	given.allowed(given.renewing(revoked({"below": 3, "until": given.now + 1})), "renewed")
	given.allowed(given.renewing(revoked({"until": given.now})), "renewed")
}

renewal_of(generation) := {"payload": {"check": "valid", "generation": generation, "nk": given.key, "ttl": 60}}

test_only_the_newest_generation_is_renewed if {
	given.refused(given.renewing(renewal_of(2)), "lease_generation_stale")
	given.refused(given.renewing(renewal_of(4)), "lease_generation_stale")
}

test_nothing_expires_before_its_time if {
	given.refused(given.ending("lease.expire", {}), "lease_not_due")
	given.allowed(given.ending("lease.expire", {"lease": given.lease_record({"expires_at": given.now})}), "ended")
}

test_a_report_is_about_one_teardown if {
	elsewhere := given.replace_members(given.tearing, {"name": "gpu-1"})
	given.refused(given.reporting(true, {"resource": elsewhere}), "resource_mismatch")
	given.refused(given.reporting(true, {"lease": given.lease_record({})}), "not_tearing_down")
	other := {"lease": given.lease_record({"state": "freed", "teardown": {"epoch": 5}})}
	given.refused(given.reporting(true, other), "epoch_stale")
}

settled(outcome) := {"lease": given.lease_record({
	"state": "freed",
	"teardown": {"epoch": 6, "outcome": outcome},
})}

test_what_was_reported_first_stands if {
	given.refused(given.reporting(false, settled("done")), "outcome_settled")
	given.refused(given.reporting(true, settled("failed")), "outcome_settled")
	given.allowed(given.reporting(true, settled("done")), "outcome_known")
	given.allowed(given.reporting(false, settled("failed")), "outcome_known")
}

test_only_a_fence_is_cleared_and_by_what_was_seen_since if {
	given.refused(given.observing({"resource": given.tearing}), "not_fenced")
	given.refused(given.asks(given.operator, "lease.request-reset", {"resource": given.leased}), "not_fenced")
	given.refused(given.observing({"payload": {"check": "valid", "epoch": 5}}), "epoch_stale")
	given.refused(given.observing({"payload": {"check": "valid", "epoch": 7}}), "epoch_stale")
}
