# What the tests of this folder are given: policy data of their own, so that editing data.json breaks no test of a rule, and inputs.
package assay.bootstrap.given_test

import data.assay.bootstrap

now := 1800000000

policy_data := {
	"control_plane": "https://control.example",
	"default_ttl": 100,
	"max_ttl": 1000,
	"may": [
		{"actions": ["*"], "kind": "operator"},
		{"actions": ["bootstrap.publish"], "id": "ca", "kind": "service"},
	],
	"may_override": ["operator"],
}

operator := {"id": "root", "kind": "operator"}

nobody := {"id": "anonymous", "kind": "anonymous"}

ca := {"id": "ca", "kind": "service"}

node(id) := {"id": id, "kind": "node"}

# `members` take the place of those of `base`: object.union would merge them.
replace_members(base, members) := object.union(object.remove(base, object.keys(members)), members)

facts := {
	"change": {
		"added": [],
		"altered": [],
		"current": ["ca-1"],
		"dropped": [],
		"dropped_current": [],
		"early": [],
		"promoted": [],
		"shared": [],
	},
	"claimed": {
		"anchors": [{"id": "ca-1", "state": "current", "value": "x"}],
		"node_id": "edge-1",
		"reason": "",
		"token_hash": "h",
		"trust": "https",
		"ttl": 0,
		"version": 0,
	},
	"key": {
		"kid": "0011223344556677",
		"managed": true,
		"name": "bootstrap-root",
		"public_key": "x",
		"scope": "bootstrap",
		"version": 1,
	},
	"node": {"acknowledged": 1, "known": true},
	"payload": {"check": "valid"},
	"token": {"expires_at": 0, "known": false, "node_id": "", "used": false},
	"trust": {"complete": true, "lagging": [], "version": 2},
}

# Each of `members` is put over the fact of that name.
asks(action, members) := {
	"facts": object.union(facts, {name: replace_members(facts[name], value) |
		some name, value in members
	}),
	"now": now,
	"request": {"action": action, "obligations": [], "peer": operator},
}

from(peer, asked) := object.union(asked, {"request": replace_members(asked.request, {"peer": peer})})

token := {"expires_at": now + 1, "known": true, "node_id": "edge-1", "used": false}

fetches(members) := asks("bootstrap.fetch", object.union({"token": token}, members))

decide(given) := decision if {
	decision := bootstrap.decision with input as given
		with data.bootstrap as policy_data
		with data.freeze as {"actions": []}
		with data.signing as {"purposes": {"bootstrap": ["bootstrap.bundle"]}}
}

codes(decision) := [reason.code | some reason in decision.reasons]

refused(given, code) if {
	decision := decide(given)
	not decision.allow
	decision.effects == []
	codes(decision) == [code]
}

allowed(given, code) := decision.effects if {
	decision := decide(given)
	decision.allow
	codes(decision) == [code]
}
