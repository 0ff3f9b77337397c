# METADATA
# title: What a lease or a resource does not permit in its state
# description: The table of docs/lease.md, as refusals. What is not refused here happens, see transition.rego.
package assay.lease.state

import data.assay.lease.issuer

action := input.request.action

lease := input.facts.lease.record

resource := input.facts.resource.record

payload := input.facts.payload

about_lease := {"lease.expire", "lease.free", "lease.renew", "lease.revoke", "lease.torn-down"}

about_resource := {"lease.grant", "lease.observed", "lease.request-reset", "lease.torn-down"}

unknown_lease := {
	"code": "lease_unknown",
	"message": "there is no such lease",
	"rule": "assay.lease.state.unknown_lease",
} if {
	action in about_lease
	not input.facts.lease.found
}

problems contains {
	"code": "resource_unknown",
	"message": "there is no such resource",
	"rule": "assay.lease.state.problems",
} if {
	action in about_resource
	not input.facts.resource.found
}

problems contains {
	"code": "cell_mismatch",
	"message": "the resource is another cell's",
	"rule": "assay.lease.state.problems",
} if {
	action in {"lease.add-resource", "lease.grant"}
	resource.cell != input.facts.cell.name
}

problems contains {
	"code": "resource_fenced",
	"message": "the resource could not be torn down: nobody has it until it was seen reset",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.grant"
	resource.state == "fenced"
}

problems contains {
	"code": "resource_tearing_down",
	"message": "the last lease of the resource is still torn down",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.grant"
	resource.state == "tearing_down"
}

problems contains {
	"code": "resource_leased",
	"message": "the resource is leased",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.grant"
	resource.state == "leased"
}

problems contains {
	"code": "lease_revoked",
	"message": "the lease is revoked",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.renew"
	revoked
}

revoked if lease.state == "revoked"

# A renewal itself revokes the generations below its own.
revoked if {
	issuer.in_force(input.facts.revoked.lease)
	lease.generation < object.get(input.facts.revoked.lease, "below", lease.generation + 1)
}

problems contains {
	"code": "lease_freed",
	"message": "the lease was freed",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.renew"
	lease.state == "freed"
}

problems contains {
	"code": "lease_expired",
	"message": "the lease has expired",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.renew"
	over
}

over if lease.state == "expired"

over if input.now >= lease.expires_at

problems contains {
	"code": "lease_generation_stale",
	"message": "the lease was renewed since",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.renew"
	payload.generation != lease.generation
}

problems contains {
	"code": "lease_not_due",
	"message": "the lease has not expired yet",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.expire"
	lease.state == "active"
	input.now < lease.expires_at
}

problems contains {
	"code": "resource_mismatch",
	"message": "the lease is of another resource",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.torn-down"
	lease.resource != input.facts.resource.name
}

problems contains {
	"code": "not_tearing_down",
	"message": "the lease has not ended: nothing is torn down",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.torn-down"
	lease.state == "active"
}

problems contains {
	"code": "epoch_stale",
	"message": "this is about another state of the resource than the one that counts",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.torn-down"
	payload.epoch != lease.teardown.epoch
}

problems contains {
	"code": "outcome_settled",
	"message": "the opposite was reported before, and that stands",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.torn-down"
	lease.teardown.outcome != reported
}

reported := "done" if {
	payload.ok
} else := "failed"

problems contains {
	"code": "not_fenced",
	"message": "the resource is not fenced",
	"rule": "assay.lease.state.problems",
} if {
	action in {"lease.observed", "lease.request-reset"}
	resource.state != "fenced"
}

problems contains {
	"code": "epoch_stale",
	"message": "what was observed is older than the fence",
	"rule": "assay.lease.state.problems",
} if {
	action == "lease.observed"
	payload.epoch != resource.epoch
}
