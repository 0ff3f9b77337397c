# METADATA
# title: Decisions of the plugin lease
# description: |
#   The entry point. Its input is {"facts", "now", "request"}; plugins/lease/README.md lists the facts, the reasons and the effects. Who may
#   ask stands in peers.rego, what a state does not permit in state.rego, what happens otherwise in transition.rego. A refusal has one
#   reason: the first in `order`.
package assay.lease

import data.assay.lease.issuer
import data.assay.lease.peers
import data.assay.lease.state
import data.assay.lease.transition
import data.assay.lib.call
import data.assay.lib.verdict

# METADATA
# entrypoint: true
decision := verdict.decide({
	"deny": deny,
	"effects": effects,
	"grant": {transition.reason},
	"missing": set(),
	"obligations": [],
})

payload := input.facts.payload

# What stands before everything else, and before anything was looked up.
unreadable := {
	"code": "malformed_request",
	"message": "the payload is not what this action expects",
	"rule": "assay.lease.unreadable",
} if {
	payload.check == "malformed"
} else := {
	"code": "weak_key",
	"message": "anyone can sign for this key: make a new one",
	"rule": "assay.lease.unreadable",
} if {
	payload.check != "valid"
}

not_permitted := {
	"code": "no_lease_role",
	"message": "this peer may not do that here",
	"rule": "assay.lease.not_permitted",
} if {
	not peers.permitted
}

deny := {unreadable} if {
	unreadable
} else := {call.refusal} if {
	call.refusal
} else := {state.unknown_lease} if {
	state.unknown_lease
} else := {not_permitted} if {
	not_permitted
} else := {first} if {
	first
} else := {problem | some problem in problems} # One that `order` does not name refuses all the same.

# Issuer before resource before lease.
order := [
	"cell_unknown",
	"cell_not_local",
	"key_missing",
	"key_revoked",
	"tenant_unknown",
	"tenant_revoked",
	"ttl_exceeds_max",
	"resource_unknown",
	"cell_mismatch",
	"resource_mismatch",
	"resource_fenced",
	"resource_tearing_down",
	"resource_leased",
	"lease_revoked",
	"lease_freed",
	"lease_expired",
	"lease_generation_stale",
	"lease_not_due",
	"not_tearing_down",
	"not_fenced",
	"epoch_stale",
	"outcome_settled",
]

problems := {problem.code: problem | some problem in (issuer.problems | state.problems)}

first := [problems[code] | some code in order; problems[code]][0]

effects := array.concat(heard, transition.effects)

# The nonce of a call that counted does not count again.
default heard := []

heard := [{
	"cell": input.facts.caller.cell,
	"kind": "lease.hear",
	"nonce": input.facts.caller.nonce,
	"time": input.facts.caller.time,
}] if {
	call.cell
}
