# METADATA
# title: Decisions of the plugin signer
# description: |
#   The entry point. Its input is {"facts", "now", "request"}; plugins/signer/README.md lists the facts, the reasons and the effects. A refusal
#   has one reason, the first in this order: what was sent, who may, and then what the action itself asks.
package assay.signer

import data.assay.lib.verdict
import data.assay.signer.approvals
import data.assay.signer.create
import data.assay.signer.deliver
import data.assay.signer.move
import data.assay.signer.peers
import data.assay.signer.verifiers

# METADATA
# entrypoint: true
decision := verdict.decide({
	"deny": {reason | reason := refusal},
	"effects": effects,
	"grant": {reason | reason := grant},
	"missing": set(),
	"obligations": [],
})

action := input.request.action

refusal := {
	"code": "malformed_request",
	"message": "the payload is not what this action expects",
	"rule": "assay.signer.refusal",
} if {
	input.facts.payload.check != "valid"
} else := {
	"code": "weak_key",
	"message": "anyone could sign for this key",
	"rule": "assay.signer.refusal",
} if {
	input.facts.made.check == "weak_key"
} else := {
	"code": "peer_not_permitted",
	"message": "nobody permits this peer to do this with keys of this scope",
	"rule": "assay.signer.refusal",
} if {
	not peers.permitted
} else := problem

problem := create.refusal(action)

problem := move.refusal(action)

problem := verifiers.refusal(action)

problem := deliver.refusal(action)

grant := approvals.grant if {
	not approvals.enough
} else := granted

granted := create.grant(action)

granted := move.grant(action)

granted := verifiers.grant(action)

granted := deliver.grant(action)

effects := [] if {
	refusal
} else := approvals.recording if {
	not approvals.enough
} else := array.concat(own, approvals.clearing)

own := create.effects(action)

own := move.effects(action)

own := verifiers.effects(action)

own := deliver.effects(action)
