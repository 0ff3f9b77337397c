# METADATA
# title: Which tasks a node carries out
# description: |
#   What is in the envelope counts once a usable key has signed it. Then: for this node, now, not for too long, of a known type, and for the
#   first time. node-agent/task-rule.ts says the same for nodes, which have no Rego; a test holds the two together.
package assay.task.accept

import data.assay.task.keys

facts := input.facts

task := facts.task.document

problem := "malformed" if {
	facts.envelope.check != "valid"
} else := keys.refusal if {
	keys.refusal
} else := "payload_type_not_allowed" if {
	facts.envelope.type != "application/vnd.node-task.v1+json"
} else := "malformed" if {
	facts.task.check != "valid"
} else := "audience_mismatch" if {
	task.node_id != facts.claimed.node_id
} else := "not_yet_valid" if {
	task.issued_at > input.now + data.task.max_clock_ahead
} else := "task_expired" if {
	input.now >= task.expires_at
} else := "ttl_exceeds_max" if {
	not possible_ttl(task.expires_at - task.issued_at)
} else := "task_type_unknown" if {
	not facts.task.known
} else := "replayed" if {
	facts.used
} else := "ok"

possible_ttl(ttl) if {
	ttl > 0
	ttl <= data.task.max_ttl
}

effects := [{
	"expires_at": task.expires_at,
	"kind": "task.use",
	"node_id": facts.claimed.node_id,
	"task_id": task.task_id,
}]

output := {"task": task} if problem == "ok"
