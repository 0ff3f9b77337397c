# METADATA
# title: What has become of the token and of its lease
# description: |
#   Revocations first: of the token or of a token that it was made from, of the key that signed it, of its tenant. Then the lease, which the
#   cell's own kernel has on record; of a foreign cell it knows what it was told, so it refuses once it was told nothing for
#   `max_revocation_age` seconds.
package assay.capability.state

token := input.facts.token

state := input.facts.state

lease := state.lease

refusal := {
	"code": "token_revoked",
	"message": "the token, one that it was made from, its key or its tenant was revoked",
	"rule": "assay.capability.state.refusal",
} if {
	revoked
} else := {
	"code": "lease_unknown",
	"message": "the cell has no such lease",
	"rule": "assay.capability.state.refusal",
} if {
	state.cell.local
	not leased
} else := {
	"code": "lease_revoked",
	"message": "the lease is over",
	"rule": "assay.capability.state.refusal",
} if {
	ended
} else := {
	"code": "lease_expired",
	"message": "the lease has expired",
	"rule": "assay.capability.state.refusal",
} if {
	over
} else := {
	"code": "lease_generation_stale",
	"message": "the lease was renewed: there is a newer token",
	"rule": "assay.capability.state.refusal",
} if {
	stale
} else := {
	"code": "resource_mismatch",
	"message": "the token is for another resource",
	"rule": "assay.capability.state.refusal",
} if {
	misdirected
} else := {
	"code": "resource_fenced",
	"message": "the resource is fenced, or in nobody's use",
	"rule": "assay.capability.state.refusal",
} if {
	state.cell.local
	not held
} else := {
	"code": "revocations_stale",
	"message": "it is not known which tokens of this cell were revoked lately",
	"rule": "assay.capability.state.refusal",
} if {
	not state.cell.local
	not informed
}

# An entry is over when the last token that it can refuse is.
in_force contains entry if {
	some entry in state.revocations
	object.get(entry, "until", input.now + 1) > input.now
}

revoked if {
	some entry in in_force
	entry.kind in {"key", "tenant", "token"}
}

revoked if not key_in_force

key_in_force if token.key_state in {"active", "grace"}

leased if {
	lease.cell == token.iss
	lease.tenant == token.tenant
}

ended if lease.state in {"freed", "revoked"}

# All generations of it.
ended if {
	some entry in in_force
	entry.kind == "lease"
	not below(entry)
}

# On record, or by its time where that was not swept yet.
over if lease.state != "active"

over if lease.expires_at <= input.now

stale if lease.generation != token.gen

stale if {
	some entry in in_force
	entry.kind == "lease"
	token.gen < below(entry)
}

below(entry) := entry.below

misdirected if token.resource != input.facts.claimed.operation.resource

misdirected if lease.resource != token.resource

held if {
	state.resource.state == "leased"
	state.resource.lease == token.lease
}

# Times are whole seconds: what is ten of them old may be nearly eleven.
informed if input.now - state.cell.as_of < data.capability.max_revocation_age
