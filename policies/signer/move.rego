# METADATA
# title: From state to state
# description: |
#   What a version may become stands in transition.rego, and when it may be activated in gate.rego. A version is activated in custody first and
#   in the record then (`signer.moved`): what the record calls active can sign. What ends is ended in the record first: from that commit on no
#   policy lets it sign, whatever custody would do. Revoking the active version makes its successor in the same breath.
package assay.signer.move

import data.assay.signer.create
import data.assay.signer.gate
import data.assay.signer.peers
import data.assay.signer.record
import data.assay.signer.transition

payload := input.facts.payload

key := record.key

asked := record.asked

number := payload.version

quietly := {"fresh": [], "said": {}}

refusal("signer.publish") := {
	"code": "unknown_key",
	"message": "no such key is managed here",
	"rule": "assay.signer.move.refusal",
} if {
	not key
} else := {
	"code": "no_set",
	"message": "this key has no verifier set",
	"rule": "assay.signer.move.refusal",
} if {
	key.set.name == ""
} else := {
	"code": "root_not_ed25519",
	"message": "those who read verifier sets verify Ed25519: make the root such a key",
	"rule": "assay.signer.move.refusal",
} if {
	key.set.name != ""
	record.root_is_p256
} else := {
	"code": "root_not_active",
	"message": "the key that signs the verifier set is not active: create and activate it",
	"rule": "assay.signer.move.refusal",
} if {
	key.set.name != ""
	not record.root_ready
} else := {
	"code": "no_active_key",
	"message": "verifiers refuse a set without an active key: activate a version first",
	"rule": "assay.signer.move.refusal",
} if {
	count(record.active) == 0
}

refusal("signer.activate") := {
	"code": "unknown_key",
	"message": "no such key is managed here",
	"rule": "assay.signer.move.refusal",
} if {
	not key
} else := {
	"code": "unknown_version",
	"message": "the key has no such version",
	"rule": "assay.signer.move.refusal",
} if {
	not asked
} else := {
	"code": "move_pending",
	"message": "custody is activating a version of this key: wait for it",
	"rule": "assay.signer.move.refusal",
} if {
	key.pending.version != 0
} else := {
	"code": "invalid_transition",
	"message": "only a pre-active version is activated; one that was active before is rolled back to",
	"rule": "assay.signer.move.refusal",
} if {
	not activatable
} else := {
	"code": "root_not_ed25519",
	"message": "those who read verifier sets verify Ed25519: make the root such a key",
	"rule": "assay.signer.move.refusal",
} if {
	key.set.name != ""
	record.root_is_p256
} else := {
	"code": "root_not_active",
	"message": "the key that signs the verifier set is not active: create and activate it",
	"rule": "assay.signer.move.refusal",
} if {
	key.set.name != ""
	not record.root_ready
} else := {
	"code": "activation_by_hand",
	"message": "a person activates the versions of this key",
	"rule": "assay.signer.move.refusal",
} if {
	peers.scheduled
	not key.auto
} else := gate.refusal

activatable if {
	asked.state == "pre-active"
	transition.may(asked.state, "active")
}

refusal("signer.moved") := {
	"code": "move_not_due",
	"message": "the record does not say so, or not any more",
	"rule": "assay.signer.move.refusal",
} if {
	not due
}

due if {
	payload.state == "active"
	key.pending.version == number
}

due if {
	payload.state != "active"
	asked.state == payload.state
}

refusal("signer.retire") := {
	"code": "unknown_key",
	"message": "no such key is managed here",
	"rule": "assay.signer.move.refusal",
} if {
	not key
} else := {
	"code": "unknown_version",
	"message": "the key has no such version",
	"rule": "assay.signer.move.refusal",
} if {
	not asked
} else := {
	"code": "move_pending",
	"message": "custody is activating this very version: wait for it",
	"rule": "assay.signer.move.refusal",
} if {
	key.pending.version == number
} else := {
	"code": "invalid_transition",
	"message": "a version is retired before it was activated, or after its grace",
	"rule": "assay.signer.move.refusal",
} if {
	not transition.may(asked.state, "retired")
} else := early

early := {
	"code": "override_not_permitted",
	"message": "this peer may not override",
	"rule": "assay.signer.move.early",
} if {
	in_grace
	gate.overriding
	not peers.named("signer.override")
} else := {
	"code": "grace_not_over",
	"message": "what it signed is still verified: wait, or override",
	"rule": "assay.signer.move.early",
} if {
	in_grace
	not gate.overriding
}

in_grace if {
	asked.state == "grace"
	input.now < asked.grace_until
}

refusal("signer.revoke") := {
	"code": "unknown_key",
	"message": "no such key is managed here",
	"rule": "assay.signer.move.refusal",
} if {
	not key
} else := {
	"code": "unknown_version",
	"message": "the key has no such version",
	"rule": "assay.signer.move.refusal",
} if {
	not asked
} else := {
	"code": "invalid_transition",
	"message": "it is revoked already",
	"rule": "assay.signer.move.refusal",
} if {
	not transition.may(asked.state, "revoked")
}

refusal("signer.rollback") := {
	"code": "unknown_key",
	"message": "no such key is managed here",
	"rule": "assay.signer.move.refusal",
} if {
	not key
} else := {
	"code": "unknown_version",
	"message": "the key has no such version",
	"rule": "assay.signer.move.refusal",
} if {
	not asked
} else := {
	"code": "move_pending",
	"message": "custody is activating a version of this key: wait for it",
	"rule": "assay.signer.move.refusal",
} if {
	key.pending.version != 0
} else := {
	"code": "invalid_transition",
	"message": "only a version in grace, or a retired one, is rolled back to",
	"rule": "assay.signer.move.refusal",
} if {
	not backwards
} else := {
	"code": "never_active",
	"message": "this version was retired before it was ever active: make a new one",
	"rule": "assay.signer.move.refusal",
} if {
	asked.activated_at == 0
} else := {
	"code": "root_not_ed25519",
	"message": "those who read verifier sets verify Ed25519: make the root such a key",
	"rule": "assay.signer.move.refusal",
} if {
	key.set.name != ""
	record.root_is_p256
} else := {
	"code": "root_not_active",
	"message": "the key that signs the verifier set is not active: create and activate it",
	"rule": "assay.signer.move.refusal",
} if {
	key.set.name != ""
	not record.root_ready
}

backwards if {
	transition.back(asked.state)
	transition.may(asked.state, "active")
}

refusal("signer.schedule") := {
	"code": "unknown_key",
	"message": "no such key is managed here",
	"rule": "assay.signer.move.refusal",
} if {
	not key
} else := {
	"code": "grace_too_long",
	"message": "data.signer.scopes has a limit for this scope",
	"rule": "assay.signer.move.refusal",
} if {
	not payload.grace_for <= data.signer.scopes[key.scope].max_grace
}

grant("signer.publish") := {
	"code": "published",
	"message": "verifiers get the next version of the set",
	"rule": "assay.signer.move.grant",
}

grant("signer.schedule") := {
	"code": "scheduled",
	"message": "the key rotates by this from now on",
	"rule": "assay.signer.move.grant",
}

grant("signer.retire") := {
	"code": "retired",
	"message": "it does not verify any more",
	"rule": "assay.signer.move.grant",
}

grant("signer.revoke") := {
	"code": "revoked",
	"message": "nothing that it signed counts, from this very commit on",
	"rule": "assay.signer.move.grant",
}

grant("signer.rollback") := {
	"code": "rollback_begun",
	"message": "custody activates the version; the next set says so then",
	"rule": "assay.signer.move.grant",
}

grant("signer.activate") := {
	"code": "overridden",
	"message": "custody activates the version, though not every verifier knows it",
	"rule": "assay.signer.move.grant",
} if {
	gate.emergency
} else := {
	"code": "activation_begun",
	"message": "custody activates the version; the next set says so then",
	"rule": "assay.signer.move.grant",
}

grant("signer.moved") := {
	"code": "move_failed",
	"message": "custody did not do it",
	"rule": "assay.signer.move.grant",
} if {
	payload.failed != ""
} else := {
	"code": "activated",
	"message": "it signs from now on; the version before it verifies until its grace is over",
	"rule": "assay.signer.move.grant",
} if {
	payload.state == "active"
} else := {
	"code": "confirmed",
	"message": "custody has it in this state too",
	"rule": "assay.signer.move.grant",
}

effects("signer.publish") := record.kept(key, {"fresh": record.in_state(key.versions, "pre-active"), "said": {}})

effects("signer.schedule") := [record.store(object.union(key, {
	"auto": payload.auto,
	"grace_for": payload.grace_for,
	"rotate_after": payload.rotate_after,
}))]

effects("signer.activate") := activating(false, 0) if {
	not gate.emergency
} else := activating(true, 0)

effects("signer.rollback") := activating(false, key.set_version)

activating(emergency, rollback_of) := [
	record.store(object.union(key, {"pending": {
		"emergency": emergency,
		"rollback_of": rollback_of,
		"version": number,
	}})),
	record.move(key, number, "active", input.now),
]

effects("signer.moved") := [] if {
	payload.state != "active"
} else := [record.store(object.union(key, {"pending": record.no_pending}))] if {
	payload.failed != ""
} else := array.concat(record.kept(activated, {"fresh": [], "said": said}), resting)

said := object.union(
	{name: true | some name in ["emergency"]; key.pending.emergency},
	{name: key.pending.rollback_of | some name in ["rollback_of"]; key.pending.rollback_of > 0},
)

before := [each | some each in record.active; each != number]

activated := object.union(key, {
	"pending": record.no_pending,
	"versions": record.changed(key.versions, object.union(
		{format_int(each, 10): {"grace_until": input.now + key.grace_for, "state": "grace"} | some each in before},
		{format_int(number, 10): {"activated_at": input.now, "grace_until": 0, "state": "active"}},
	)),
})

# Decisions that are under way have signed with it by then.
resting := [record.move(key, each, "grace", input.now + data.signer.settle_seconds) | some each in before]

effects("signer.retire") := array.concat(
	record.kept(with_version({"grace_until": 0, "state": "retired"}), quietly),
	[record.move(key, number, "retired", input.now)],
)

with_version(members) := object.union(key, {"versions": record.changed(
	key.versions,
	{format_int(number, 10): members},
)})

effects("signer.revoke") := array.concat(
	[record.move(key, number, "revoked", input.now)],
	after_revocation,
)

without := object.union(
	with_version({
		"grace_until": 0,
		"reason": payload.reason,
		"revoked_at": input.now,
		"state": "revoked",
	}),
	{"pending": still_pending},
)

still_pending := record.no_pending if {
	key.pending.version in {0, number}
} else := object.union(key.pending, {"emergency": true})

# Whether a version is left that signs, comes to sign, or can.
after_revocation := record.kept(without, quietly) if {
	not orphaned
} else := [record.store(without)] if {
	still_pending.version != 0
} else := [record.store(followed), record.move(key, successor, "active", input.now)] if {
	successor
} else := [record.store(create.wanting(without, false, true))] if {
	key.creating.wanted
} else := [record.store(create.wanting(without, false, true)), create.making(without)]

# None is active, and there was one: for verifiers no set without one counts.
orphaned if {
	count(record.in_state(without.versions, "active")) == 0
	some each in without.versions
	each.activated_at > 0
}

successor := max(record.in_state(without.versions, "pre-active"))

followed := object.union(without, {"pending": {"emergency": true, "rollback_of": 0, "version": successor}})
