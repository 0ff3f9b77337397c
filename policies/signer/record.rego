# METADATA
# title: What a key's record becomes, and what verifiers are told of it
# description: |
#   `kept(record, tell)` are the effects that keep a record and, where it has a verifier set and a key that verifiers can be left with, publish
#   its next version. A set without an active key is refused by those who read it, so that none is published until there is one again. `tell`
#   has `fresh` (the versions that are published for the first time) and `said` (members of the set: `emergency`, `rollback_of`).
package assay.signer.record

import data.assay.lib.signing

key := input.facts.key.known[0]

is_secret if key.scope == "secret"

no_creating := {"after": 0, "emergency": false, "publish": false, "wanted": false}

no_pending := {"emergency": false, "rollback_of": 0, "version": 0}

# What there was, of one version.
version(number) := found if {
	some found in key.versions
	found.version == number
}

asked := version(input.facts.payload.version)

in_state(versions, state) := [each.version | some each in versions; each.state == state]

active := in_state(key.versions, "active")

# `members` of some versions, by their number as text, take the place of what they had.
changed(versions, members) := [object.union(each, object.get(members, format_int(each.version, 10), {})) |
	some each in versions
]

# base64url of 65 bytes, where a key of Ed25519 has 32.
root_is_p256 if count(input.facts.root.public_key) == 87

root_ready if {
	not root_is_p256
	not signing.refusal(input.facts.root, "signer.set")
	input.facts.root.version > 0
}

kept(record, tell) := [store(telling), publish(telling, tell.said)] if {
	tells(record)
	telling := next(record, tell.fresh)
} else := [store(record)]

tells(record) if {
	record.set.name != ""
	count(in_state(record.versions, "active")) == 1
	root_ready
}

store(record) := {"key": record, "kind": "signer.store"}

next(record, fresh) := object.union(record, {
	"set_version": number,
	"versions": [object.union(each, {"published": first_in(each, fresh, number)}) |
		some each in record.versions
	],
}) if {
	number := record.set_version + 1
}

first_in(each, fresh, number) := number if {
	each.published == 0
	shown(each, fresh)
} else := each.published

shown(each, _) if each.state == "active"

shown(each, fresh) if each.version in fresh

publish(record, said) := {
	"document": object.union(document(record), said),
	"kind": "signer.publish",
	"name": record.name,
	"root": {
		"kid": input.facts.root.kid,
		"name": input.facts.root.name,
		"version": input.facts.root.version,
	},
	"scope": record.scope,
}

document(record) := {
	"issued_at": input.now,
	"keys": [listed(record.algorithm, each) | some each in record.versions; each.published > 0],
	"schema": "task-verifiers.v1",
	"scope": record.set.name,
	"version": record.set_version,
}

listed(algorithm, each) := object.union(
	{"alg": algorithm, "kid": each.kid, "state": each.state, "x": each.public_key},
	timed(each),
)

timed(each) := {"not_before": each.activated_at} if {
	each.state == "active"
} else := {"grace_until": each.grace_until, "not_before": each.activated_at} if {
	each.state == "grace"
} else := {"reason": each.reason, "revoked_at": each.revoked_at} if {
	each.state == "revoked"
} else := {}

# Custody is told to bring a version into a state, not before a time.
move(record, number, state, not_before) := {
	"kind": "signer.move",
	"name": record.name,
	"not_before": not_before,
	"scope": record.scope,
	"state": state,
	"version": number,
}
