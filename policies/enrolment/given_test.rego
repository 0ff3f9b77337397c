# What the tests of this folder are given: policy data of their own, so that editing data.json breaks no test of a rule, and inputs.
package assay.enrolment.given_test

import data.assay.enrolment

now := 1800000000

policy_data := {
	"may": {
		"anyone": ["enrolment.prove"],
		"peers": [
			{"actions": ["*"], "kind": "embedded"},
			{"actions": ["*"], "kind": "operator"},
			{"actions": ["enrolment.bind-cell"], "id": "scheduler", "kind": "service"},
		],
	},
	"vouching": ["embedded"],
}

embedded := {"id": "process", "kind": "embedded"}

operator := {"id": "root", "kind": "operator"}

scheduler := {"id": "scheduler", "kind": "service"}

nobody := {"id": "anonymous", "kind": "anonymous"}

first := "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

second := "BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

third := "CAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

signed := {"check": "valid"}

absent := {"check": "absent"}

forged := {"check": "signature_invalid"}

uncalled := {
	"cell": "",
	"check": "absent",
	"key_state": "none",
	"nonce": "",
	"nonce_state": "fresh",
	"time": 0,
}

called_by(cell) := {
	"cell": cell,
	"check": "valid",
	"key_state": "active",
	"nonce": "AAAAAAAAAAAAAAAAAAAAAA",
	"nonce_state": "fresh",
	"time": now,
}

# `members` take the place of those of `base`: object.union would merge them.
replace_members(base, members) := object.union(object.remove(base, object.keys(members)), members)

key(members) := {"key": replace_members(
	{
		"check": "valid",
		"pinned_for_release": false,
		"public_key": first,
		"registered": {"owner": "", "scope": "none", "state": "none"},
	},
	members,
)}

registered(scope, owner, state) := key({"registered": {"owner": owner, "scope": scope, "state": state}})

# The owner's keys so far, in order.
owner(scope, name, keys) := {"owner": {"keys": keys, "name": name, "scope": scope}}

has(public_key, state) := {"public_key": public_key, "since": now, "state": state}

payload(members) := {"payload": replace_members(
	{"check": "valid", "custody": "", "replaces": "", "state": "none"},
	members,
)}

# What `peer` asks; each of `changes` replaces whole fields.
asks(peer, action, changes) := {
	"facts": replace_members(
		object.union_n([
			{
				"caller": uncalled,
				"claimed": {"verification": {"by": "", "reference": ""}},
				"hand_over": {"check": "absent", "key_revoked": false},
				"proof": signed,
			},
			key({}),
			owner("cell", "cell-a", []),
			payload({}),
		]),
		object.union_n(changes),
	),
	"now": now,
	"request": {"action": action, "obligations": [], "peer": peer},
}

binds(peer, changes) := asks(peer, "enrolment.bind-cell", changes)

decide(given) := decision if {
	decision := enrolment.decision with input as given
		with data.enrolment as policy_data
		with data.freeze as {"actions": []}
}

allowed(given, code) := decision.effects if {
	decision := decide(given)
	decision.allow
	[reason.code | some reason in decision.reasons] == [code]
}

refused(given, code) if {
	decision := decide(given)
	not decision.allow
	decision.effects == []
	[reason.code | some reason in decision.reasons] == [code]
}
