# METADATA
# title: Which tasks are signed
# description: |
#   Who may send it, of a type and with parameters that nodes read, for no longer than a node would take, and with a key that may: what a key
#   signs is decided here, before custody is asked.
package assay.task.sign

import data.assay.lib.signing
import data.assay.task.peers
import data.assay.task.reasons

facts := input.facts

refusal := reasons.named("sender_not_permitted", "assay.task.sign.refusal") if {
	not peers.sender
} else := reasons.named("task_type_unknown", "assay.task.sign.refusal") if {
	not facts.type.known
} else := reasons.named("params_mismatch", "assay.task.sign.refusal") if {
	not facts.type.fits
} else := reasons.named("ttl_exceeds_max", "assay.task.sign.refusal") if {
	ttl > data.task.max_ttl
} else := reasons.named("key_not_managed", "assay.task.sign.refusal") if {
	data.task.require_managed_key
	not facts.key.managed
} else := signing.refusal(facts.key, "task.sign")

ttl := facts.claimed.ttl if {
	facts.claimed.ttl > 0
} else := data.task.default_ttl

effects := [{
	"key": facts.key.name,
	"key_version": facts.key.version,
	"kid": facts.key.kid,
	"kind": "task.sign",
	"node_id": facts.claimed.node_id,
	"params": facts.claimed.params,
	"ttl": ttl,
	"type": facts.claimed.type,
	"version": facts.claimed.version,
}]
