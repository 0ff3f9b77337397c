# METADATA
# title: Publish before activate
# description: |
#   A version signs only once every registered verifier has acknowledged a set that has it: a task signed earlier would be refused somewhere. The
#   first key of a set has nobody to wait for. An override goes on at once, with a reason that stands in the log, and the set says `emergency`.
#   A key without a set has no verifiers that anybody knows of: each version after the first needs an override. A secret has no set: its
#   consumers acknowledge the version itself, to say that they can go on with it.
package assay.signer.gate

import data.assay.signer.peers
import data.assay.signer.record

payload := input.facts.payload

key := record.key

asked := record.asked

blocked := {
	"code": "verifiers_unknown",
	"message": "this key has no verifier set: make its next version known yourself, and override",
	"rule": "assay.signer.gate.blocked",
} if {
	key.set.name == ""
	not record.is_secret
	some each in key.versions
	each.activated_at > 0
} else := {
	"code": "not_published",
	"message": "no verifier set has this version: publish it first",
	"rule": "assay.signer.gate.blocked",
} if {
	key.set_version > 0
	asked.published == 0
} else := {
	"code": "not_acknowledged",
	"message": "some verifiers have not acknowledged a set with this version",
	"rule": "assay.signer.gate.blocked",
} if {
	count(lagging) > 0
}

lagging := [each.id |
	some each in input.facts.verifiers.known
	each.acknowledged < needed
]

default needed := 0

needed := payload.version if {
	record.is_secret
} else := asked.published if {
	key.set_version > 0
}

overriding if payload.override != ""

# Whether it was needed or not: what lags behind has to be told.
emergency if {
	overriding
	blocked
}

refusal := {
	"code": "override_not_permitted",
	"message": "this peer may not override",
	"rule": "assay.signer.gate.refusal",
} if {
	overriding
	not peers.named("signer.override")
} else := blocked if {
	not overriding
}
