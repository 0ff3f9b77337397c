# METADATA
# title: Revoking here
# description: |
#   A cell's signed call revokes what is that cell's; everybody else stands in `permits` in data.json. A token or lease is revoked for as long as
#   its tokens can live, so that the set stays small; a key or a tenant for ever, unless an end is asked for.
package assay.announce.revoke

import data.assay.lib.call

cell := input.facts.cell

asked := input.facts.revocation

# Whose tokens it kills: those of the cell that signs, unless its key has the controller's word for every cell.
reach := "*" if {
	asked.kind in {"key", "tenant"}
	delegation := input.facts.signer.delegation
	delegation.every_cell
	delegation.by in {"active", "grace", "retired"}
	not delegation.revoked
	delegation.not_before <= input.now
	input.now < delegation.expires
	"REVOKE_BROADCAST" in delegation.types
	asked.kind in data.announce.may_revoke.delegate
} else := cell.name

record := asked.everywhere if {
	reach == "*"
} else := asked.record

caller_refusal := call.refusal

called_by_cell if {
	input.request.action == "announce.revoke"
	call.cell == cell.name
	asked.kind in data.announce.may_revoke.cell
}

refusal := {
	"code": "cell_unknown",
	"message": "no cell of this name is enrolled",
	"rule": "assay.announce.revoke.refusal",
} if {
	not cell.known
} else := {
	"code": "cell_not_local",
	"message": "the cell's key is not kept here",
	"rule": "assay.announce.revoke.refusal",
} if {
	not cell.local
} else := {
	"code": "signer_not_held",
	"message": "this kernel keeps no active key to sign with",
	"rule": "assay.announce.revoke.refusal",
} if {
	not cell.signer.held
} else := {
	"code": "below_without_lease",
	"message": "only a lease has generations",
	"rule": "assay.announce.revoke.refusal",
} if {
	not asked.every_generation
	asked.kind != "lease"
} else := {
	"code": "until_over",
	"message": "the end that is asked for has passed",
	"rule": "assay.announce.revoke.refusal",
} if {
	asked.until > 0
	asked.until <= input.now
}

latest := (input.now + data.announce.token_life_seconds) + data.announce.clock_skew_seconds

ends := {"until": latest} if {
	asked.kind in {"lease", "token"}
	asked.until == 0
} else := {"until": min({asked.until, latest})} if {
	asked.kind in {"lease", "token"}
} else := {"until": asked.until} if {
	asked.until > 0
} else := {}

generations := {} if {
	asked.every_generation
} else := {"below": asked.below}

# It is revoked already, at least as far and as long as is asked for.
covered if {
	record.found
	alive
	kills_as_many
	lasts_as_long
}

alive if not record.mortal

alive if record.until >= input.now

kills_as_many if record.every_generation

kills_as_many if {
	not asked.every_generation
	record.below >= asked.below
}

lasts_as_long if not record.mortal

lasts_as_long if {
	asked.until == 0
	asked.kind in {"lease", "token"}
}

lasts_as_long if {
	asked.until > 0
	record.until >= min({asked.until, latest})
}

effects := array.concat(written, heard)

default written := []

written := [object.union(
	object.union(ends, generations),
	{
		"cell": cell.name,
		"custody": cell.signer.custody,
		"id": asked.id,
		"kind": "announce.revoke",
		"of": asked.kind,
		"reach": reach,
		"signer": cell.signer.key,
	},
)] if {
	not covered
}

default heard := []

heard := [object.union(
	{"kind": "announce.heard"},
	object.filter(input.facts.caller, ["cell", "nonce", "time"]),
)] if {
	input.facts.caller.check == "valid"
}

output := {"repeated": true} if {
	covered
} else := object.union({"repeated": false}, ends)
