# METADATA
# title: States of a key
# description: |
#   active, grace (verifies, does not sign), retired; and from each of them revoked. Nothing leads back. That a key was revoked is told to
#   other kernels, which learn of grace and retirement by the key that comes after it.
package assay.enrolment.transition

next := {
	"active": {"grace", "revoked"},
	"grace": {"retired", "revoked"},
	"pre-active": {"active", "revoked"},
	"retired": {"revoked"},
}

registered := input.facts.key.registered

state := input.facts.payload.state

applies if input.request.action == "enrolment.transition-key"

refusal := {
	"code": "unknown_key",
	"message": "no such key is registered",
	"rule": "assay.enrolment.transition.refusal",
} if {
	applies
	registered.scope == "none"
} else := {
	"code": "invalid_transition",
	"message": "a key goes from active to grace to retired, or to revoked, and never back",
	"rule": "assay.enrolment.transition.refusal",
} if {
	applies
	not possible
}

possible if state in next[registered.state]

grant contains {
	"code": "transitioned",
	"message": "the key is in its next state",
	"rule": "assay.enrolment.transition.grant",
} if {
	applies
	possible
}

effects := array.concat([moving], telling) if {
	applies
	possible
}

moving := {
	"kind": "enrolment.transition",
	"public_key": input.facts.key.public_key,
	"state": state,
}

telling := [{
	"kind": "enrolment.revoke-elsewhere",
	"public_key": input.facts.key.public_key,
}] if {
	state == "revoked"
} else := []
