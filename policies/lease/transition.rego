# METADATA
# title: What happens when nothing refuses it
# description: |
#   The table of docs/lease.md: from each action to the reason that its leaf carries and to the effects that make the transition. Ending a
#   lease that has ended, and reporting what was reported, are allowed and change nothing.
package assay.lease.transition

# Seconds. No token lives for longer, so nobody has to remember for longer that one is dead, but for clocks that differ.
token_life := 300

clock_skew := 30

dead_until := (input.now + token_life) + clock_skew

action := input.request.action

facts := input.facts

payload := facts.payload

lease := facts.lease.record

ends := {"lease.expire": "expired", "lease.free": "freed", "lease.revoke": "revoked"}

ending if {
	action in object.keys(ends)
	lease.state == "active"
}

settling if {
	action == "lease.torn-down"
	not lease.teardown.outcome
}

adding if {
	action == "lease.add-resource"
	not facts.resource.found
}

reason := {
	"code": "resource_added",
	"message": "the resource can be leased",
	"rule": "assay.lease.transition.reason",
} if {
	adding
}

reason := {
	"code": "resource_known",
	"message": "the resource was added before",
	"rule": "assay.lease.transition.reason",
} if {
	action == "lease.add-resource"
	not adding
}

reason := {
	"code": "granted",
	"message": "the resource was free",
	"rule": "assay.lease.transition.reason",
} if {
	action == "lease.grant"
}

reason := {
	"code": "renewed",
	"message": "tokens of earlier generations are dead",
	"rule": "assay.lease.transition.reason",
} if {
	action == "lease.renew"
}

reason := {
	"code": "ended",
	"message": sprintf("the lease is %s, and torn down", [ends[action]]),
	"rule": "assay.lease.transition.reason",
} if {
	ending
}

reason := {
	"code": "already_ended",
	"message": "the lease had ended before",
	"rule": "assay.lease.transition.reason",
} if {
	action in object.keys(ends)
	not ending
}

reason := {
	"code": "torn_down",
	"message": "the resource is free again",
	"rule": "assay.lease.transition.reason",
} if {
	settling
	payload.ok
}

reason := {
	"code": "teardown_failed",
	"message": "the resource is fenced",
	"rule": "assay.lease.transition.reason",
} if {
	settling
	not payload.ok
}

reason := {
	"code": "outcome_known",
	"message": "this was reported before",
	"rule": "assay.lease.transition.reason",
} if {
	action == "lease.torn-down"
	not settling
}

reason := {
	"code": "reset_requested",
	"message": "the driver is asked to reset the resource",
	"rule": "assay.lease.transition.reason",
} if {
	action == "lease.request-reset"
}

reason := {
	"code": "reset_observed",
	"message": "the resource is free again",
	"rule": "assay.lease.transition.reason",
} if {
	action == "lease.observed"
}

default effects := []

effects := [{
	"cell": facts.cell.name,
	"kind": "lease.add",
	"resource": facts.resource.name,
}] if {
	adding
}

effects := [object.union(optional({"cnf", "jti"}), {
	"caveats": object.get(payload, "caveats", []),
	"cell": facts.cell.name,
	"custody": facts.cell.custody,
	"expires_at": input.now + payload.ttl,
	"kind": "lease.grant",
	"nk": payload.nk,
	"resource": facts.resource.name,
	"tenant": facts.tenant.name,
})] if {
	action == "lease.grant"
}

effects := [object.union(optional({"jti"}), {
	"custody": facts.cell.custody,
	"dead_until": dead_until,
	"expires_at": input.now + payload.ttl,
	"kind": "lease.renew",
	"lease": lease.lease,
	"nk": payload.nk,
})] if {
	action == "lease.renew"
}

effects := [{
	"dead_until": dead_until,
	"kind": "lease.end",
	"lease": lease.lease,
	"state": ends[action],
}] if {
	ending
}

effects := [{
	"kind": "lease.settle",
	"lease": lease.lease,
	"ok": payload.ok,
	"resource": facts.resource.name,
	"why": facts.claimed.why,
}] if {
	settling
}

effects := [{"kind": "lease.request-reset", "resource": facts.resource.name}] if {
	action == "lease.request-reset"
}

effects := [{"kind": "lease.clear", "resource": facts.resource.name}] if {
	action == "lease.observed"
}

optional(names) := {name: payload[name] | some name in names}
