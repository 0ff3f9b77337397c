# METADATA
# title: Decisions of the plugin announce
# description: |
#   The entry point. Its input is {"facts", "now", "request"}; plugins/announce/README.md lists the facts, the reasons and the effects. A refusal
#   has one reason, the first of this order: the request, who asks, then what the action is about. Who may sign what stands in signer.rego,
#   what a message may say in message.rego, who may revoke here in revoke.rego.
package assay.announce

import data.assay.announce.local
import data.assay.announce.message
import data.assay.announce.revoke
import data.assay.announce.signer
import data.assay.announce.sweep
import data.assay.lib.verdict

# METADATA
# entrypoint: true
decision := object.union(decided, {"output": output}) if {
	decided.allow
} else := decided

decided := verdict.decide({
	"deny": deny,
	"effects": effects,
	"grant": grant,
	"missing": set(),
	"obligations": [],
})

action := input.request.action

deny contains refusal

refusal := {
	"code": "malformed_request",
	"message": "the payload is not what this action expects",
	"rule": "assay.announce.refusal",
} if {
	input.facts.payload.check != "valid"
} else := revoke.caller_refusal if {
	action == "announce.revoke"
} else := {
	"code": "peer_not_allowed",
	"message": "nothing lets this peer ask for this",
	"rule": "assay.announce.refusal",
} if {
	not permitted
} else := about

permitted if {
	some rule in data.announce.permits
	action in rule.actions
	matches(rule.peer)
}

permitted if revoke.called_by_cell

matches(peer) if peer.kind == "*"

matches(peer) if {
	peer.kind == input.request.peer.kind
	object.get(peer, "id", input.request.peer.id) == input.request.peer.id
}

brings_message if action in {"announce.learn", "announce.receive"}

about := message.refusal if {
	brings_message
}

about := local.refusal if {
	action in {"announce.publish", "announce.revocations"}
}

about := revoke.refusal if {
	action == "announce.revoke"
}

about := sweep.refusal if {
	action == "announce.sweep"
}

grant contains {
	"code": "signed_message",
	"message": sprintf("the %s signed it, and may say this", [signer.role]),
	"rule": "assay.announce.grant",
} if {
	brings_message
	not refusal
}

grant contains {
	"code": "first_use",
	"message": "no controller is pinned: the first one to sign is believed from now on",
	"rule": "assay.announce.grant",
} if {
	brings_message
	not refusal
	signer.pins
}

grant contains {
	"code": "already_revoked",
	"message": "what is asked for is revoked: nothing changes and nobody is told again",
	"rule": "assay.announce.grant",
} if {
	action == "announce.revoke"
	not refusal
	revoke.covered
}

grant contains {
	"code": "peer_allowed",
	"message": "the policy lets this peer ask for this",
	"rule": "assay.announce.grant",
} if {
	not brings_message
	not refusal
}

default effects := []

effects := message.effects if {
	brings_message
}

effects := local.effects if {
	action in {"announce.publish", "announce.revocations"}
}

effects := revoke.effects if {
	action == "announce.revoke"
}

effects := sweep.effects if {
	action == "announce.sweep"
}

default output := {}

output := message.output if {
	brings_message
}

output := local.output if {
	action == "announce.revocations"
}

output := revoke.output if {
	action == "announce.revoke"
}

output := sweep.output if {
	action == "announce.sweep"
}
