# METADATA
# title: Which keys are pinned
# description: |
#   A pin comes by an operator's word, or by a hand-over that an active pin signed; it goes by time, by the first release of its successor,
#   or by an operator's word. One key id belongs to one key, and one public key to one scope and one key id, for ever.
package assay.release.keys

import data.assay.release.reasons
import data.assay.release.signature

key := input.facts.key

hand_over := input.facts.hand_over

action := input.request.action

refusal := reasons.named(problem, "assay.release.keys.refusal") if problem != "ok"

problem := signed_problem if {
	signed_problem != "ok"
} else := key_problem if {
	key_problem != "ok"
} else := state_problem

default signed_problem := "ok"

signed_problem := found if {
	action == "release.hand-over"
	hand_over.pin.state != "active"
	found := "key_not_active"
	signature.live(hand_over.pin)
} else := signature.problem(hand_over) if {
	action == "release.hand-over"
}

key_problem := "weak_key" if {
	key.check == "weak_key"
} else := "malformed_key" if {
	key.check != "valid"
} else := "ok"

# What is dropped is pinned, and what is pinned anew is not known yet.
state_problem := dropping if {
	action == "release.drop"
} else := pinning

dropping := "unknown_key" if {
	not pinned
} else := "ok"

pinning := "key_scope_conflict" if {
	key.scope != "release"
} else := "key_id_conflict" if {
	not pinned
	key.pin
} else := "key_id_conflict" if {
	not pinned
	key.known
} else := "key_not_active" if {
	pinned
	not signature.live(key.pin)
} else := "key_not_active" if {
	# A successor is a new key: nothing leads back to an old one.
	pinned
	action == "release.hand-over"
} else := "ok"

pinned if key.pin.public_key == key.public_key

granted := "already_pinned" if {
	action == "release.pin"
	pinned
} else := {"release.drop": "dropped", "release.hand-over": "handed_over", "release.pin": "pinned"}[action]

grant := reasons.named(granted, "assay.release.keys.grant")

pin := {"key_id": key.key_id, "kind": "release.pin", "public_key": key.public_key}

effects := [] if {
	granted == "already_pinned"
} else := [{"key_id": key.key_id, "kind": "release.state", "state": "revoked"}] if {
	action == "release.drop"
} else := [object.union(pin, {"lineage": key.key_id})] if {
	action == "release.pin"
} else := [
	object.union(pin, {"lineage": hand_over.pin.lineage, "predecessor": hand_over.pin.key_id}),
	{
		"key_id": hand_over.pin.key_id,
		"kind": "release.state",
		"state": "grace",
		"until": input.now + data.release.grace_seconds,
	},
]
