# METADATA
# title: A secret on its way
# description: |
#   `data.signer.deliver` names who gets which secrets, as the transport established them; no `*` among a peer's actions does. What is delivered
#   is the active version, or one in grace that is asked for by number, sealed to the recipient by custody. The peer that asked gets it once,
#   within `delivery_seconds`, and only while the version still counts.
package assay.signer.deliver

import data.assay.signer.record

payload := input.facts.payload

peer := input.request.peer

key := record.key

known := input.facts.delivery.known[0]

# Over all secrets; what nobody fetches is swept.
max_deliveries := 500

receives if {
	some entry in data.signer.deliver
	entry.kind == peer.kind
	object.get(entry, "id", peer.id) == peer.id
	some covered in entry.names
	covered in {"*", payload.name}
}

refusal("signer.deliver") := {
	"code": "unknown_key",
	"message": "no such secret is managed here",
	"rule": "assay.signer.deliver.refusal",
} if {
	not key
} else := {
	"code": "no_active_key",
	"message": "no version is active: activate one, or name one in grace",
	"rule": "assay.signer.deliver.refusal",
} if {
	not wanted
} else := {
	"code": "unknown_version",
	"message": "the secret has no such version",
	"rule": "assay.signer.deliver.refusal",
} if {
	not record.version(wanted)
} else := {
	"code": "not_deliverable",
	"message": "only a version that is active, or in grace for now, is delivered",
	"rule": "assay.signer.deliver.refusal",
} if {
	not counts(wanted)
} else := {
	"code": "too_many_deliveries",
	"message": "fetch what is under way, or wait until it is over",
	"rule": "assay.signer.deliver.refusal",
} if {
	input.facts.delivery.count >= max_deliveries
}

wanted := payload.version if {
	payload.version > 0
} else := record.active[0]

counts(number) if record.version(number).state == "active"

counts(number) if {
	found := record.version(number)
	found.state == "grace"
	input.now < found.grace_until
}

refusal("signer.delivered") := {
	"code": "delivery_not_due",
	"message": "nobody waits for this, or the version does not count any more",
	"rule": "assay.signer.deliver.refusal",
} if {
	not due
}

due if {
	known.name == payload.name
	known.version == payload.version
	known.sealed == ""
	known.failed == ""
	input.now < known.expires_at
	counts(known.version)
	count([said | some said in [payload.failed, payload.sealed]; said != ""]) == 1
}

refusal("signer.fetch") := {
	"code": "unknown_delivery",
	"message": "there is none for this peer, or not any more: ask for another",
	"rule": "assay.signer.deliver.refusal",
} if {
	not own
} else := {
	"code": "not_deliverable",
	"message": "the version does not count any more",
	"rule": "assay.signer.deliver.refusal",
} if {
	not counts(known.version)
} else := {
	"code": "delivery_failed",
	"message": "custody did not seal it: signer.delivered in the log says why",
	"rule": "assay.signer.deliver.refusal",
} if {
	known.failed != ""
} else := {
	"code": "delivery_pending",
	"message": "custody has not sealed it yet: ask again",
	"rule": "assay.signer.deliver.refusal",
} if {
	known.sealed == ""
}

own if {
	known.name == payload.name
	known.peer == {"id": peer.id, "kind": peer.kind}
	input.now < known.expires_at
}

refusal("signer.expire") := {
	"code": "nothing_expired",
	"message": "every delivery has time left",
	"rule": "assay.signer.deliver.refusal",
} if {
	count(input.facts.delivery.expired) == 0
}

grant("signer.deliver") := {
	"code": "delivery_begun",
	"message": "custody seals it to the recipient",
	"rule": "assay.signer.deliver.grant",
}

grant("signer.delivered") := {
	"code": "seal_failed",
	"message": "custody did not seal it",
	"rule": "assay.signer.deliver.grant",
} if {
	payload.failed != ""
} else := {
	"code": "sealed",
	"message": "who asked for it can fetch it",
	"rule": "assay.signer.deliver.grant",
}

grant("signer.fetch") := {
	"code": "delivered",
	"message": "this is it, sealed to the recipient; it is not kept",
	"rule": "assay.signer.deliver.grant",
}

grant("signer.expire") := {
	"code": "expired",
	"message": "what nobody fetched in time is removed",
	"rule": "assay.signer.deliver.grant",
}

effects("signer.deliver") := [{
	"expires_at": input.now + data.signer.delivery_seconds,
	"kind": "signer.seal",
	"name": payload.name,
	"peer": {"id": peer.id, "kind": peer.kind},
	"recipient": payload.recipient,
	"version": wanted,
}]

effects("signer.delivered") := [{
	"delivery": object.union(known, {"failed": payload.failed, "sealed": payload.sealed}),
	"kind": "signer.sealed",
}]

effects("signer.fetch") := [{"decision": known.decision, "kind": "signer.hand"}]

effects("signer.expire") := [{"deliveries": input.facts.delivery.expired, "kind": "signer.expire"}]
