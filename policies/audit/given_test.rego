# What the tests of this folder are given: policy data of their own, so that editing data.json breaks no test of a rule, and inputs.
package assay.audit.given_test

import data.assay.audit

now := 1800000000

day := 86400

policy_data := {
	"members": {"eraser": [{"id": "paul", "kind": "user"}], "reader": [{"id": "carol", "kind": "user"}]},
	"peer_kinds": {"kernel": "sweeper", "operator": "chief"},
	"protected": ["audit"],
	"retention": {
		"classes": {"always": {}, "long": {"days": 10}, "short": {"days": 1}},
		"otherwise": "long",
		"rules": [
			{"class": "always", "plugin": "audit"},
			{"action": "access.assign", "class": "long"},
			{"allow": false, "class": "short"},
		],
	},
	"roles": {
		"chief": {
			"actions": ["audit.erase", "audit.query", "audit.receipt"],
			"open": [{"actions": ["*"], "fields": ["*"]}],
			"with_purpose": [],
		},
		"eraser": {
			"actions": ["audit.erase", "audit.hold", "audit.query", "audit.release"],
			"open": [],
			"with_purpose": [],
		},
		"reader": {
			"actions": ["audit.query", "audit.receipt"],
			"open": [{"actions": ["*"], "fields": ["verdict"]}],
			"with_purpose": [{"actions": ["access.*"], "fields": ["payload"]}],
		},
		"sweeper": {"actions": ["audit.expire"], "open": [], "with_purpose": []},
	},
}

operator := {"id": "root", "kind": "operator"}

kernel := {"id": "retention", "kind": "kernel"}

nobody := {"id": "anonymous", "kind": "anonymous"}

carol := {"id": "carol", "kind": "user"}

paul := {"id": "paul", "kind": "user"}

# `members` take the place of those of `base`: object.union would merge them.
replace_members(base, members) := object.union(object.remove(base, object.keys(members)), members)

record(members) := replace_members(
	{
		"action": "access.evaluate",
		"allow": true,
		"asked_by_peer": false,
		"holds": [],
		"id": "00000000000000000000000000000001",
		"index": "7",
		"opened": true,
		"time": now,
	},
	members,
)

# What `peer` asks; `facts` replaces whole fields.
asks(peer, action, facts) := {
	"facts": replace_members(
		{
			"claimed": {"purpose": ""},
			"hold": {"found": false, "name": ""},
			"payload": {"check": "valid", "fields": ["*"], "filter": {"actions": ["access.evaluate"]}, "limit": 10},
			"records": {"items": []},
		},
		facts,
	),
	"now": now,
	"request": {"action": action, "obligations": [], "peer": peer},
}

about(items) := {"records": {"items": items}}

decide(given) := decision if {
	decision := audit.decision with input as given
		with data.audit as policy_data
		with data.freeze as {"actions": []}
}

allowed(given, codes) if {
	decision := decide(given)
	decision.allow
	{reason.code | some reason in decision.reasons} == codes
}

refused(given, codes) if {
	decision := decide(given)
	not decision.allow
	decision.effects == []
	{reason.code | some reason in decision.reasons} == codes
}
