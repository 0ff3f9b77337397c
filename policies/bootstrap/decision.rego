# METADATA
# title: Decisions of the plugin bootstrap
# description: |
#   The entry point. Its input is {"facts", "now", "request"}; plugins/bootstrap/README.md lists the facts, the reasons and the effects. A
#   refusal has one reason, the first: what was sent, who may, what the key may, and then what the action itself asks.
package assay.bootstrap

import data.assay.bootstrap.enrol
import data.assay.bootstrap.publish
import data.assay.bootstrap.reasons
import data.assay.lib.signing
import data.assay.lib.verdict

action := input.request.action

peer := input.request.peer

facts := input.facts

# METADATA
# entrypoint: true
decision := verdict.decide({
	"deny": {reason | reason := refusal},
	"effects": effects,
	"grant": {reason | reason := reasons.named(granted, "assay.bootstrap.granted")},
	"missing": set(),
	"obligations": [],
})

refusal := reasons.named("malformed_request", "assay.bootstrap.refusal") if {
	facts.payload.check != "valid"
} else := reasons.named("not_allowed_here", "assay.bootstrap.refusal") if {
	not permitted
} else := reasons.named(problem, "assay.bootstrap.refusal") if {
	problem != "ok"
} else := reasons.named("key_not_managed", "assay.bootstrap.refusal") if {
	signs
	not facts.key.managed
} else := signing.refusal(facts.key, "bootstrap.bundle") if {
	signs
}

signs if action in {"bootstrap.fetch", "bootstrap.publish"}

# The token speaks for itself.
permitted if action == "bootstrap.fetch"

permitted if {
	action == "bootstrap.acknowledge"
	peer.kind == "node"
	peer.id == facts.claimed.node_id
}

permitted if {
	some entry in data.bootstrap.may
	entry.kind == peer.kind
	object.get(entry, "id", peer.id) == peer.id
	some named in entry.actions
	named in {"*", action}
}

problem := publish.acknowledge_problem if {
	action == "bootstrap.acknowledge"
} else := enrol.fetch_problem if {
	action == "bootstrap.fetch"
} else := enrol.issue_problem if {
	action == "bootstrap.issue"
} else := publish.problem if {
	action == "bootstrap.publish"
}

granted := "acknowledged" if {
	action == "bootstrap.acknowledge"
} else := "enrolled" if {
	action == "bootstrap.fetch"
} else := "token_issued" if {
	action == "bootstrap.issue"
} else := publish.granted if {
	action == "bootstrap.publish"
}

effects := publish.acknowledge if {
	action == "bootstrap.acknowledge"
} else := enrol.fetch if {
	action == "bootstrap.fetch"
} else := enrol.issue if {
	action == "bootstrap.issue"
} else := publish.effects if {
	action == "bootstrap.publish"
} else := []
