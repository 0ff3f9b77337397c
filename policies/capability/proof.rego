# METADATA
# title: Whether the holder itself presents the token
# description: |
#   A token that names its holder's key takes a proof by that key over this very presentation, made within `proof_window` seconds of now, to
#   either side. Its nonce is on record until the proof could not be presented again.
package assay.capability.proof

token := input.facts.token

proof := input.facts.proof

refusal := {
	"code": "proof_invalid",
	"message": "the proof does not hold",
	"rule": "assay.capability.proof.refusal",
} if {
	not proof.check in {"absent", "valid"}
} else := {
	"code": "proof_missing",
	"message": "the token is bound to its holder, who has to prove it",
	"rule": "assay.capability.proof.refusal",
} if {
	token.bound
	proof.check == "absent"
} else := {
	"code": "proof_invalid",
	"message": "the proof was made too long ago, or for later",
	"rule": "assay.capability.proof.refusal",
} if {
	token.bound
	not recent
} else := {
	"code": "replayed",
	"message": "this proof was presented before",
	"rule": "assay.capability.proof.refusal",
} if {
	token.bound
	proof.seen_until >= input.now
}

recent if abs(input.now - proof.time) <= data.capability.proof_window

# The effect that makes a second presentation a replay.
seen contains {
	"id": proof.id,
	"kind": "capability.remember",
	"until": proof.time + data.capability.proof_window,
} if {
	token.bound
}
