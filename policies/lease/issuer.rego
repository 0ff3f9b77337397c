# METADATA
# title: Whether a cell may issue to a tenant
# description: |
#   A lease is granted and renewed by a cell that is enrolled, whose key this kernel keeps, to a tenant that is registered; none of them
#   revoked. An entry of the revocation set counts until its time.
package assay.lease.issuer

facts := input.facts

issuing if input.request.action in {"lease.grant", "lease.renew"}

problems contains {
	"code": "cell_unknown",
	"message": "no cell of this name is enrolled",
	"rule": "assay.lease.issuer.problems",
} if {
	needs_cell
	not facts.cell.found
}

problems contains {
	"code": "cell_not_local",
	"message": "another kernel keeps the cell's key: ask there",
	"rule": "assay.lease.issuer.problems",
} if {
	needs_cell
	not facts.cell.local
}

needs_cell if issuing

needs_cell if input.request.action == "lease.add-resource"

problems contains {
	"code": "key_missing",
	"message": "the cell has no active key in this kernel's custody",
	"rule": "assay.lease.issuer.problems",
} if {
	issuing
	facts.cell.custody == ""
}

problems contains {
	"code": "key_revoked",
	"message": "the cell's key is revoked",
	"rule": "assay.lease.issuer.problems",
} if {
	issuing
	in_force(facts.revoked.key)
}

problems contains {
	"code": "tenant_unknown",
	"message": "the tenant is not registered",
	"rule": "assay.lease.issuer.problems",
} if {
	issuing
	not facts.tenant.found
}

problems contains {
	"code": "tenant_revoked",
	"message": "the tenant is revoked",
	"rule": "assay.lease.issuer.problems",
} if {
	issuing
	tenant_revoked
}

tenant_revoked if facts.tenant.state != "active"

tenant_revoked if in_force(facts.revoked.tenant)

problems contains {
	"code": "ttl_exceeds_max",
	"message": "a lease is granted and renewed for less time at once",
	"rule": "assay.lease.issuer.problems",
} if {
	issuing
	not short
}

# What cannot be compared, for want of the bound, is not short.
short if facts.payload.ttl <= data.lease.max_ttl

in_force(entry) if not entry.until

in_force(entry) if entry.until > input.now
