# METADATA
# title: When a key becomes somebody's
# description: |
#   A public key has one scope and one owner for ever, also once it is revoked. The first key of an owner is enrolled with a proof of
#   possession; a later one takes the hand-over signature of the newest so far, or a permitted peer that names the key it replaces: what was
#   handed over verifies for a while (grace), what was replaced is revoked. `refusal` is the first reason against it.
package assay.enrolment.binding

import data.assay.enrolment.peers

# Which actions bind a key, and whose it becomes: the scopes that it may have.
scopes := {
	"enrolment.bind-cell": {"cell"},
	"enrolment.pin-controller": {"controller"},
	"enrolment.register-key": {"bootstrap", "federation", "log", "policy", "task", "witness"},
	"enrolment.register-tenant": {"tenant"},
}

key := input.facts.key

owner := input.facts.owner

payload := input.facts.payload

keys := owner.keys

newest := keys[count(keys) - 1]

applies if scopes[input.request.action]

handed_over if {
	input.facts.hand_over.check == "valid"
	peers.newest_in_force
}

same if {
	key.registered.scope == owner.scope
	key.registered.owner == owner.name
}

unchanged if {
	same
	key.registered.state == "active"
}

refusal := {
	"code": "scope_has_own_action",
	"message": "keys of this scope are not registered by this action",
	"rule": "assay.enrolment.binding.refusal",
} if {
	applies
	not owner.scope in scopes[input.request.action]
} else := {
	"code": "key_scope_conflict",
	"message": "this key has another scope, and a key has one for ever",
	"rule": "assay.enrolment.binding.refusal",
} if {
	applies
	elsewhere
} else := {
	"code": "key_owner_conflict",
	"message": "this key is somebody else's, and a key has one owner for ever",
	"rule": "assay.enrolment.binding.refusal",
} if {
	applies
	key.registered.scope == owner.scope
	not same
} else := {
	"code": "key_out_of_use",
	"message": "this key was replaced or revoked, and nothing leads back",
	"rule": "assay.enrolment.binding.refusal",
} if {
	applies
	same
	not unchanged
} else := first_use if {
	applies
	not unchanged
}

elsewhere if key.pinned_for_release

elsewhere if not key.registered.scope in {"none", owner.scope}

# Of a key that nobody has registered yet.
first_use := {
	"code": "proof_missing",
	"message": "the key has to sign whom it is for",
	"rule": "assay.enrolment.binding.first_use",
} if {
	input.facts.proof.check == "absent"
	owner.scope != "controller"
	not peers.vouches
} else := {
	"code": "verification_missing",
	"message": "who has verified the tenant, and where is that written down?",
	"rule": "assay.enrolment.binding.first_use",
} if {
	owner.scope == "tenant"
	not handed_over
	verification := input.facts.claimed.verification
	"" in {verification.by, verification.reference}
} else := {
	"code": "replaces_mismatch",
	"message": "the key that is to be replaced is not the newest one",
	"rule": "assay.enrolment.binding.first_use",
} if {
	payload.replaces != ""
	not names_newest
} else := {
	"code": "owner_has_key",
	"message": "there is a key already: it hands over, or the request names it as replaced",
	"rule": "assay.enrolment.binding.first_use",
} if {
	count(keys) > 0
	not handed_over
	payload.replaces == ""
}

names_newest if payload.replaces == newest.public_key

grant contains {
	"code": "unchanged",
	"message": "the key is enrolled already, as this",
	"rule": "assay.enrolment.binding.grant",
} if {
	applies
	unchanged
}

grant contains {
	"code": "handed_over",
	"message": "the key before it handed over",
	"rule": "assay.enrolment.binding.grant",
} if {
	applies
	not unchanged
	handed_over
}

grant contains {
	"code": "replaced",
	"message": "it replaces the key that the request names, which is revoked",
	"rule": "assay.enrolment.binding.grant",
} if {
	replacing
}

grant contains {
	"code": "enrolled",
	"message": "it is the first key of this owner, or the owner may have many",
	"rule": "assay.enrolment.binding.grant",
} if {
	applies
	not unchanged
	count(keys) == 0
}

replacing if {
	applies
	not unchanged
	not handed_over
	names_newest
}

effects := [] if {
	applies
	unchanged
} else := array.concat([enrolling], telling) if {
	applies
}

enrolling := object.union_n([
	{
		"kind": "enrolment.enrol",
		"owner": owner.name,
		"public_key": key.public_key,
		"scope": owner.scope,
	},
	{"custody": payload.custody | payload.custody != ""},
	{"earlier": earlier | count(keys) > 0},
	verified,
])

# A key that was replaced may be in somebody else's hands.
earlier := "grace" if {
	handed_over
} else := "revoked"

verified := {"verification": input.facts.claimed.verification} if {
	owner.scope == "tenant"
	not handed_over
} else := {}

telling := [{"kind": "enrolment.revoke-elsewhere", "public_key": newest.public_key}] if {
	replacing
	newest.state != "revoked"
} else := []
