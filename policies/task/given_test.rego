# What the tests of this folder are given: policy data of their own, so that editing data.json breaks no test of a rule, and inputs.
package assay.task.given_test

import data.assay.task

now := 1800000000

policy_data := {
	"default_ttl": 600,
	"max_clock_ahead": 300,
	"max_roots": 2,
	"max_ttl": 3600,
	"may": [
		{"actions": ["*"], "kind": "operator"},
		{"actions": ["task.ingest"], "id": "relay", "kind": "service"},
	],
	"require_keyid": false,
	"require_managed_key": true,
	"senders": [
		{"kind": "operator", "nodes": ["*"], "types": ["*"]},
		{"id": "rollout", "kind": "service", "nodes": ["edge-*"], "types": ["node.install-package"]},
	],
}

operator := {"id": "root", "kind": "operator"}

nobody := {"id": "anonymous", "kind": "anonymous"}

service(id) := {"id": id, "kind": "service"}

node(id) := {"id": id, "kind": "node"}

# `members` take the place of those of `base`: object.union would merge them.
replace_members(base, members) := object.union(object.remove(base, object.keys(members)), members)

key := {
	"kid": "0011223344556677",
	"managed": true,
	"name": "task",
	"public_key": "x",
	"scope": "task",
	"version": 2,
}

claimed := {
	"node_id": "edge-1",
	"outcome": "none",
	"params": {},
	"reason": "",
	"root": "",
	"task_id": "",
	"trusted": false,
	"ttl": 0,
	"type": "",
	"version": 0,
}

document := {
	"expires_at": now + 600,
	"issued_at": now - 10,
	"node_id": "edge-1",
	"nonce": "0123456789abcdef",
	"params": {"name": "driver"},
	"task_id": "t1",
	"type": "node.install-package",
	"version": 1,
}

set_document := {
	"issued_at": now,
	"keys": [],
	"schema": "task-verifiers.v1",
	"scope": "node-task-signing",
	"version": 2,
}

no_set := {
	"active": [],
	"check": "absent",
	"digest": "",
	"emergency": false,
	"endless": [],
	"misnamed": [],
	"newness": "first",
	"reactivated": [],
	"scope": "",
	"unpublished": [],
	"version": 0,
	"weak": [],
}

facts := {
	"claimed": claimed,
	"envelope": {"check": "absent", "type": ""},
	"key": key,
	"payload": {"check": "valid"},
	"root": {"check": "absent", "count": 0, "trusted": false},
	"sent": {"known": false, "node_id": ""},
	"set": no_set,
	"signature": {"check": "absent", "each": []},
	"task": {"check": "absent", "known": false},
	"type": {"fits": true, "known": true},
	"used": false,
}

asks(action, members) := {
	"facts": replace_members(facts, members),
	"now": now,
	"request": {"action": action, "obligations": [], "peer": operator},
}

from(peer, asked) := object.union(asked, {"request": replace_members(asked.request, {"peer": peer})})

signature(members) := replace_members(
	{"check": "valid", "hinted": true, "revoked": false, "state": "active"},
	members,
)

signed(each) := {"check": "valid", "each": each}

# A task in order; `members` replaces whole facts.
accepts(members) := asks("task.accept", replace_members(
	{
		"envelope": {"check": "valid", "type": "application/vnd.node-task.v1+json"},
		"signature": signed([signature({})]),
		"task": {"check": "valid", "document": document, "known": true},
	},
	members,
))

# A task that says something else.
says(members) := accepts({"task": {
	"check": "valid",
	"document": replace_members(document, members),
	"known": true,
}})

# A set in order; `members` replaces those of the fact.
ingests(members) := ingests_signed("valid", members)

ingests_signed(check, members) := asks("task.ingest", {
	"envelope": {"check": "valid", "type": "application/vnd.task-verifiers.v1+json"},
	"set": replace_members(no_set, replace_members(
		{
			"active": ["0011223344556677"],
			"check": "valid",
			"digest": "d",
			"document": set_document,
			"newness": "next",
			"scope": "node-task-signing",
			"version": 2,
		},
		members,
	)),
	"signature": {"check": check, "each": []},
})

sends(members) := asks("task.sign", {"claimed": replace_members(claimed, replace_members(
	{"params": {"name": "driver"}, "type": "node.install-package", "version": 1},
	members,
))})

decide_with(given, policies) := decision if {
	decision := task.decision with input as given
		with data.task as policies
		with data.freeze as {"actions": []}
		with data.signing as {"purposes": {"task": ["task.sign"]}}
}

decide(given) := decide_with(given, policy_data)

codes(decision) := [reason.code | some reason in decision.reasons]

refused(given, code) if refused_with(given, policy_data, code)

refused_with(given, policies, code) if {
	decision := decide_with(given, policies)
	not decision.allow
	decision.effects == []
	codes(decision) == [code]
}

allowed(given, code) := allowed_with(given, policy_data, code)

allowed_with(given, policies, code) := decision.effects if {
	decision := decide_with(given, policies)
	decision.allow
	codes(decision) == [code]
}
