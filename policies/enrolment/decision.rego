# METADATA
# title: Decisions of the plugin enrolment
# description: |
#   The entry point. Its input is {"facts", "now", "request"}; plugins/enrolment/README.md lists the facts, the reasons and the effects. A
#   refusal has one reason, the first in this order: what was sent, who calls, who may, and then what the action itself asks.
package assay.enrolment

import data.assay.enrolment.binding
import data.assay.enrolment.peers
import data.assay.enrolment.transition
import data.assay.lib.call
import data.assay.lib.verdict

# METADATA
# entrypoint: true
decision := verdict.decide({
	"deny": {reason | reason := refusal},
	"effects": array.concat(effects, heard),
	"grant": grant,
	"missing": set(),
	"obligations": [],
})

refusal := {
	"code": "malformed_request",
	"message": "the payload is not what this action expects",
	"rule": "assay.enrolment.refusal",
} if {
	input.facts.payload.check != "valid"
} else := {
	"code": "weak_key",
	"message": "this key could stand for another one: make a new key pair",
	"rule": "assay.enrolment.refusal",
} if {
	input.facts.key.check == "weak_key"
} else := {
	"code": "proof_invalid",
	"message": "the key has not signed whom it is for",
	"rule": "assay.enrolment.refusal",
} if {
	input.facts.proof.check == "signature_invalid"
} else := call.refusal if {
	call.refusal
} else := {
	"code": "hand_over_invalid",
	"message": "the newest key so far has not signed that this one comes next",
	"rule": "assay.enrolment.refusal",
} if {
	input.facts.hand_over.check == "signature_invalid"
} else := {
	"code": "peer_not_permitted",
	"message": "nobody permits this peer to do this",
	"rule": "assay.enrolment.refusal",
} if {
	not peers.permitted
} else := binding.refusal if {
	binding.refusal
} else := transition.refusal if {
	transition.refusal
} else := {
	"code": "key_not_here",
	"message": "the newest key of this cell is not in this kernel's custody, or not in force",
	"rule": "assay.enrolment.refusal",
} if {
	input.request.action == "enrolment.prove"
	not proving
}

grant contains reason if some reason in binding.grant

grant contains reason if some reason in transition.grant

grant contains {
	"code": "proof_given",
	"message": "the cell's key says whose it is",
	"rule": "assay.enrolment.grant",
} if {
	proving
}

default effects := []

effects := binding.effects

effects := transition.effects

effects := [proving]

proving := {
	"cell": input.facts.owner.name,
	"custody": newest.custody,
	"kind": "enrolment.prove",
	"public_key": newest.public_key,
} if {
	input.request.action == "enrolment.prove"
	newest.state == "active"
}

newest := binding.newest

# An accepted call is not accepted again.
heard := [{
	"cell": caller.cell,
	"kind": "enrolment.heard",
	"nonce": caller.nonce,
	"time": caller.time,
} |
	caller := input.facts.caller
	caller.check == "valid"
]
