# METADATA
# title: New keys
# description: |
#   Custody makes keys; what it has made comes back as `signer.created`, a decision of its own, from the process alone. A rotation makes the
#   next version and publishes it; nothing signs with it before it is activated. The schedule rotates what is due, a person whenever they like.
package assay.signer.create

import data.assay.signer.peers
import data.assay.signer.record
import data.assay.signer.transition

payload := input.facts.payload

made := input.facts.made

key := record.key

scope := data.signer.scopes[payload.scope]

# One is left for the successor of a key that was revoked.
max_versions := 255

refusal("signer.create") := {
	"code": "scope_not_managed",
	"message": "data.signer.scopes does not have this scope: its keys are moved by assay key alone",
	"rule": "assay.signer.create.refusal",
} if {
	not scope
} else := {
	"code": "algorithm_not_allowed",
	"message": "keys of this scope, or of this name, are not of that algorithm",
	"rule": "assay.signer.create.refusal",
} if {
	not algorithm
} else := waiting

refusal("signer.rotate") := {
	"code": "unknown_key",
	"message": "no such key is managed here: create it first",
	"rule": "assay.signer.create.refusal",
} if {
	not key
} else := waiting if {
	waiting
} else := {
	"code": "no_active_key",
	"message": "there is nothing to rotate from: activate a version first",
	"rule": "assay.signer.create.refusal",
} if {
	count(record.active) == 0
} else := {
	"code": "successor_waits",
	"message": "a version waits for its activation already",
	"rule": "assay.signer.create.refusal",
} if {
	count(record.in_state(key.versions, "pre-active")) > 0
} else := {
	"code": "rotation_not_due",
	"message": "it is rotated later, or by hand only",
	"rule": "assay.signer.create.refusal",
} if {
	peers.scheduled
	not due
}

refusal("signer.created") := {
	"code": "creation_not_due",
	"message": "nobody waits for this version",
	"rule": "assay.signer.create.refusal",
} if {
	not key.creating.wanted
}

waiting := {
	"code": "creation_pending",
	"message": "custody was asked for the next version already",
	"rule": "assay.signer.create.waiting",
} if {
	key.creating.wanted
} else := {
	"code": "too_many_versions",
	"message": "the record is full: go on with a key of another name",
	"rule": "assay.signer.create.waiting",
} if {
	count(key.versions) >= max_versions
}

due if {
	key.rotate_after > 0
	some each in key.versions
	each.state == "active"
	input.now >= each.activated_at + key.rotate_after
}

algorithm := key.algorithm if {
	payload.algorithm in {"none", key.algorithm}
} else := scope.algorithms[0] if {
	not key
	payload.algorithm == "none"
} else := payload.algorithm if {
	not key
	payload.algorithm in scope.algorithms
}

grant("signer.create") := {
	"code": "creation_begun",
	"message": "custody is asked for the next version",
	"rule": "assay.signer.create.grant",
}

grant("signer.rotate") := {
	"code": "rotation_begun",
	"message": "custody is asked for the next version, which is published then",
	"rule": "assay.signer.create.grant",
}

grant("signer.created") := {
	"code": "creation_failed",
	"message": "custody did not make a key",
	"rule": "assay.signer.create.grant",
} if {
	payload.failed != ""
} else := {
	"code": "key_discarded",
	"message": "what custody has made is known already, or is no next version: it never signs",
	"rule": "assay.signer.create.grant",
} if {
	not usable
} else := {
	"code": "created",
	"message": "the version is there, and does not sign yet",
	"rule": "assay.signer.create.grant",
}

usable if {
	payload.failed == ""
	made.check == "valid"
	not made.known
	fits
	payload.version > highest(key)
	transition.may("none", "pre-active")
}

# A secret has a digest, a key a public half.
fits if {
	record.is_secret
	made.public_key == ""
}

fits if {
	not record.is_secret
	made.public_key != ""
}

highest(of) := max(array.concat([0], [each.version | some each in of.versions]))

effects("signer.create") := beginning(blank, false)

effects("signer.rotate") := beginning(key, true)

# Verifiers are told nothing: for them nothing has changed.
effects("signer.created") := [record.store(over)] if {
	not usable
} else := array.concat(claim, [record.move(taken, payload.version, "active", input.now), record.store(succeeding)]) if {
	key.creating.emergency
	"active" in transition.emergency.none
} else := array.concat(claim, record.kept(taken, {"fresh": [payload.version], "said": {}})) if {
	key.creating.publish
} else := array.concat(claim, [record.store(taken)])

over := object.union(key, {"creating": record.no_creating})

taken := object.union(over, {"versions": array.concat(key.versions, [added])})

added := {
	"activated_at": 0,
	"created_at": input.now,
	"grace_until": 0,
	"kid": made.kid,
	"public_key": made.public_key,
	"published": 0,
	"reason": "",
	"revoked_at": 0,
	"state": "pre-active",
	"version": payload.version,
}

# It takes the place of a key that was revoked.
succeeding := object.union(taken, {"pending": {"emergency": true, "rollback_of": 0, "version": payload.version}})

claim := [{
	"kind": "signer.claim",
	"name": key.name,
	"public_key": made.public_key,
	"scope": key.scope,
	"version": payload.version,
} |
	not record.is_secret
]

blank := key if {
	key
} else := {
	"algorithm": algorithm,
	"auto": scope.auto,
	"creating": record.no_creating,
	"grace_for": scope.grace_for,
	"name": payload.name,
	"pending": record.no_pending,
	"rotate_after": scope.rotate_after,
	"scope": payload.scope,
	"set": scope.set,
	"set_version": 0,
	"versions": [],
}

beginning(from, publish) := [record.store(wanting(from, publish, false)), making(from)]

wanting(from, publish, emergency) := object.union(from, {"creating": {
	"after": highest(from),
	"emergency": emergency,
	"publish": publish,
	"wanted": true,
}})

making(from) := {
	"after": highest(from),
	"algorithm": from.algorithm,
	"kind": "signer.make",
	"name": from.name,
	"scope": from.scope,
}
