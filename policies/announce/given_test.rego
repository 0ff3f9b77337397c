# What the tests of this folder are given: policy data of their own, so that editing data.json breaks no test of a rule, and inputs.
package assay.announce.given_test

import data.assay.announce

now := 1800000000

policy_data := {
	"cell_signs": ["REVOCATIONS", "REVOKE_BROADCAST"],
	"clock_skew_seconds": 30,
	"delegate_scopes": ["cell"],
	"max_age_seconds": 300,
	"max_delegation_seconds": 1000,
	"may_revoke": {
		"cell": ["lease", "token"],
		"controller": ["key", "lease", "tenant", "token"],
		"delegate": ["token"],
	},
	"permits": [
		{"actions": ["announce.learn", "announce.receive"], "peer": {"kind": "*"}},
		{"actions": ["announce.publish", "announce.revoke", "announce.revocations"], "peer": {"kind": "operator"}},
		{"actions": ["announce.revoke"], "peer": {"id": "carol", "kind": "user"}},
		{"actions": ["announce.sweep"], "peer": {"kind": "embedded"}},
	],
	"token_life_seconds": 300,
	"trust_on_first_use": false,
}

trusting := object.union(policy_data, {"trust_on_first_use": true})

operator := {"id": "root", "kind": "operator"}

embedded := {"id": "process", "kind": "embedded"}

nobody := {"id": "anonymous", "kind": "anonymous"}

carol := {"id": "carol", "kind": "user"}

key := "the-signer"

no_delegation := {
	"by": "none",
	"cells": [],
	"every_cell": false,
	"expires": 0,
	"found": false,
	"not_before": 0,
	"revoked": false,
	"types": [],
}

delegation(members) := object.union(
	{
		"by": "active",
		"cells": [],
		"every_cell": true,
		"expires": now + 60,
		"found": true,
		"not_before": now - 60,
		"revoked": false,
		"types": ["ANNOUNCE", "REVOKE_BROADCAST", "WITHDRAW"],
	},
	members,
)

signer(members) := object.union(
	{
		"cell": {"name": "", "state": "none"},
		"controller": "none",
		"delegation": no_delegation,
		"first_use": false,
		"key": key,
		"key_revoked": false,
		"last": {"sequence": 4, "time": now - 5},
		"scope": "",
	},
	members,
)

controller := signer({"controller": "active"})

no_caller := {"cell": "", "check": "absent", "key_state": "none", "nonce": "", "nonce_state": "fresh", "time": 0}

caller(members) := object.union(
	{
		"cell": "cell-a",
		"check": "valid",
		"key_state": "active",
		"nonce": "n",
		"nonce_state": "fresh",
		"time": now,
	},
	members,
)

no_record := {"below": 0, "every_generation": true, "found": false, "mortal": false, "until": 0}

record(members) := object.union(
	{"below": 0, "every_generation": true, "found": true, "mortal": true, "until": now + 100},
	members,
)

revocation(members) := object.union(
	{
		"below": 0,
		"every_generation": true,
		"everywhere": no_record,
		"id": "t1",
		"kind": "token",
		"record": no_record,
		"until": 0,
	},
	members,
)

local_cell := {
	"known": true,
	"local": true,
	"name": "cell-a",
	"signer": {"custody": "cell", "held": true, "key": "own"},
}

cell_b := signer({"cell": {"name": "cell-b", "state": "active"}, "scope": "cell"})

foreign_cell := {
	"known": true,
	"local": false,
	"name": "cell-b",
	"signer": {"custody": "", "held": false, "key": ""},
}

unknown_cell := object.union(foreign_cell, {"known": false})

# What `peer` asks; `facts` replaces whole fields.
asks(peer, action, facts) := {
	"facts": object.union(
		object.remove(
			{
				"caller": no_caller,
				"cell": foreign_cell,
				"claimed": {"why": ""},
				"feed": {"as_of": 0, "known": true, "seen": 7, "sequence": 7},
				"journal": {"chunks": []},
				"message": {"check": "absent"},
				"payload": {"check": "valid"},
				"publish": {"as": "none", "body": null, "send": false},
				"revocation": revocation({}),
				"set": {"after": 0, "entries": [], "more": false, "through": 0},
				"signer": signer({}),
				"subject": {"check": "absent", "delegation": no_delegation, "scope": ""},
			},
			object.keys(facts),
		),
		facts,
	),
	"now": now,
	"request": {"action": action, "obligations": [], "peer": peer},
}

message(type, members) := object.union(
	{"check": "valid", "from": "control", "seq": 5, "time": now, "type": type},
	members,
)

offer := {"cell": "cell-b", "endpoint": "https://b", "service": "gpu", "until": now + 60}

announcement := message("ANNOUNCE", offer)

withdrawal := message("WITHDRAW", {"cell": "cell-b", "service": "gpu"})

entry(members) := object.union({"at": now, "id": "t1", "kind": "token", "until": now + 300}, members)

broadcast(entries) := message("REVOKE_BROADCAST", {"after": 7, "cell": "cell-b", "entries": entries})

page(members) := message("REVOCATIONS", object.union(
	{"after": 7, "cell": "cell-b", "entries": [entry({})], "more": false, "through": 9},
	members,
))

receives(who, what) := asks(nobody, "announce.receive", {"message": what, "signer": who})

learns(who, what) := asks(nobody, "announce.learn", {"message": what, "signer": who})

decide(given) := decision if {
	decision := announce.decision with input as given
		with data.announce as policy_data
		with data.freeze as {"actions": []}
}

allowed(given, codes) if {
	decision := decide(given)
	decision.allow
	{reason.code | some reason in decision.reasons} == codes
}

refused(given, code) if {
	decision := decide(given)
	not decision.allow
	decision.effects == []
	[reason.code | some reason in decision.reasons] == [code]
}

kinds(given) := [effect.kind | some effect in decide(given).effects]
