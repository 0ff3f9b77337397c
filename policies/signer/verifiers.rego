# METADATA
# title: Who verifies, and what they have
# description: |
#   Of a secret: who uses it, and acknowledges its versions.
#   A verifier is registered for a key with the peer that speaks for it, and acknowledges the version of the set that it has. What it says never
#   goes down. Readers may have the newest set; one that has a newer one than this log knows is a sign of a log that was put back.
package assay.signer.verifiers

import data.assay.signer.record

payload := input.facts.payload

key := record.key

verifier := input.facts.verifier.known[0]

newest := input.facts.set.version

latest := max(array.concat([0], [each.version | some each in key.versions])) if {
	record.is_secret
} else := newest

max_verifiers := 1000

refusal("signer.register") := {
	"code": "unknown_key",
	"message": "no such key is managed here",
	"rule": "assay.signer.verifiers.refusal",
} if {
	not key
} else := {
	"code": "no_set",
	"message": "this key has no verifier set to acknowledge",
	"rule": "assay.signer.verifiers.refusal",
} if {
	key.set.name == ""
	not record.is_secret
} else := {
	"code": "too_many_verifiers",
	"message": "no more can be looked at in one decision: let one speak for several",
	"rule": "assay.signer.verifiers.refusal",
} if {
	not verifier
	input.facts.verifiers.count >= max_verifiers
}

refusal("signer.unregister") := {
	"code": "unknown_verifier",
	"message": "nobody of this name is registered",
	"rule": "assay.signer.verifiers.refusal",
} if {
	not verifier
}

refusal("signer.acknowledge") := {
	"code": "unknown_verifier",
	"message": "nobody of this name is registered",
	"rule": "assay.signer.verifiers.refusal",
} if {
	not verifier
} else := {
	"code": "unknown_set_version",
	"message": "there is no such version of the set yet",
	"rule": "assay.signer.verifiers.refusal",
} if {
	payload.version > latest
}

refusal("signer.set") := {
	"code": "no_set",
	"message": "there is no verifier set of this key",
	"rule": "assay.signer.verifiers.refusal",
} if {
	newest == 0
} else := {
	"code": "have_is_newer",
	"message": "you have a newer set than this log knows: the log may have been put back",
	"rule": "assay.signer.verifiers.refusal",
} if {
	payload.have > newest
}

refusal("signer.status") := {
	"code": "unknown_key",
	"message": "no such key is managed here",
	"rule": "assay.signer.verifiers.refusal",
} if {
	not key
}

grant("signer.register") := {
	"code": "unchanged",
	"message": "it is registered already, with this peer",
	"rule": "assay.signer.verifiers.grant",
} if {
	verifier.peer == payload.peer
} else := {
	"code": "registered",
	"message": "activations wait for what it acknowledges",
	"rule": "assay.signer.verifiers.grant",
}

grant("signer.unregister") := {
	"code": "unregistered",
	"message": "no activation waits for it any more",
	"rule": "assay.signer.verifiers.grant",
}

grant("signer.acknowledge") := {
	"code": "unchanged",
	"message": "it has said so, or more, before",
	"rule": "assay.signer.verifiers.grant",
} if {
	payload.version <= verifier.acknowledged
} else := {
	"code": "acknowledged",
	"message": "it has this version of the set",
	"rule": "assay.signer.verifiers.grant",
}

grant("signer.set") := {
	"code": "unchanged",
	"message": "you have the newest set",
	"rule": "assay.signer.verifiers.grant",
} if {
	payload.have == newest
} else := {
	"code": "newest",
	"message": "this is the newest set",
	"rule": "assay.signer.verifiers.grant",
}

grant("signer.status") := {
	"code": "told",
	"message": "this is what is known",
	"rule": "assay.signer.verifiers.grant",
}

grant("signer.list") := {
	"code": "told",
	"message": "this is what is known",
	"rule": "assay.signer.verifiers.grant",
}

effects("signer.register") := [] if {
	verifier.peer == payload.peer
} else := [kept({"acknowledged": acknowledged, "id": payload.verifier, "peer": payload.peer})]

default acknowledged := 0

acknowledged := verifier.acknowledged

effects("signer.unregister") := [{
	"kind": "signer.forget",
	"name": payload.name,
	"scope": payload.scope,
	"verifier": payload.verifier,
}]

effects("signer.acknowledge") := [] if {
	payload.version <= verifier.acknowledged
} else := [kept(object.union(verifier, {"acknowledged": payload.version}))]

kept(said) := {
	"kind": "signer.verifier",
	"name": payload.name,
	"scope": payload.scope,
	"verifier": said,
}

effects("signer.set") := [] if {
	payload.have == newest
} else := [{"kind": "signer.show", "name": payload.name, "scope": payload.scope}]

effects("signer.status") := [{"kind": "signer.tell", "status": {
	"key": key,
	"verifiers": input.facts.verifiers.known,
}}]

effects("signer.list") := [{"kind": "signer.tell", "status": {"keys": input.facts.keys}}]
