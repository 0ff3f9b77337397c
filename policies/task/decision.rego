# METADATA
# title: Decisions of the plugin task
# description: |
#   The entry point. Its input is {"facts", "now", "request"}; plugins/task/README.md lists the facts, the reasons and the effects. A refusal
#   has one reason, the first: what was sent, who may, and then what the action itself asks.
package assay.task

import data.assay.lib.verdict
import data.assay.task.accept
import data.assay.task.ingest
import data.assay.task.peers
import data.assay.task.reasons
import data.assay.task.sign

action := input.request.action

facts := input.facts

# METADATA
# entrypoint: true
decision := object.union(decided, {"output": accept.output}) if {
	action == "task.accept"
	decided.allow
} else := decided

decided := verdict.decide({
	"deny": {reason | reason := refusal},
	"effects": effects,
	"grant": {reason | reason := granted},
	"missing": set(),
	"obligations": [],
})

refusal := reasons.named("malformed_request", "assay.task.refusal") if {
	facts.payload.check != "valid"
} else := reasons.named("not_allowed_here", "assay.task.refusal") if {
	not peers.permitted
} else := sign.refusal if {
	action == "task.sign"
	sign.refusal
} else := reasons.named(problem, "assay.task.refusal") if {
	problem != "ok"
}

problem := accept.problem if {
	action == "task.accept"
} else := ingest.problem if {
	action == "task.ingest"
} else := report_problem if {
	action == "task.report"
} else := trust_problem if {
	action == "task.trust"
}

# The report of a task ends it: a second one finds nothing.
report_problem := "ok" if {
	facts.sent.known
	facts.sent.node_id == facts.claimed.node_id
} else := "task_unknown"

trust_problem := "weak_key" if {
	facts.root.check == "weak_key"
} else := "root_count" if {
	facts.claimed.trusted
	not facts.root.trusted
	facts.root.count >= data.task.max_roots
} else := "root_count" if {
	not facts.claimed.trusted
	facts.root.count <= 1
} else := "ok"

granted := reasons.named(grants[action], "assay.task.granted")

grants := {
	"task.accept": "accepted",
	"task.ingest": "set_taken",
	"task.report": "closed",
	"task.sign": "signed",
	"task.trust": "trust_changed",
}

effects := accept.effects if {
	action == "task.accept"
} else := ingest.effects if {
	action == "task.ingest"
} else := sign.effects if {
	action == "task.sign"
} else := [{"kind": "task.close", "task_id": facts.claimed.task_id}] if {
	action == "task.report"
} else := [{"kind": "task.trust", "root": facts.claimed.root, "trusted": facts.claimed.trusted}] if {
	action == "task.trust"
} else := []
