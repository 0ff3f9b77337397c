# What the tests of this folder are given: policy data of their own, so that editing data.json breaks no test of a rule, and inputs.
package assay.access.given_test

import data.assay.access

now := 1800000000

policy_data := {
	"administrators": {"peer_kinds": ["operator"], "role": "admin"},
	"cardinality": {"chief": 2},
	"constraints": {"scientist": {"checkpoint": {
		"read": ["owns_workload", "node_allocated"],
		"touch": ["no_such_condition"],
	}}},
	"dynamic_separation": {"pay": {"max": 1, "roles": ["payer", "biller"]}},
	"hierarchy": {
		"admin": [],
		"biller": ["staff"],
		"chief": ["scientist"],
		"judge": [],
		"party": [],
		"payer": ["staff"],
		"scientist": ["staff"],
		"staff": [],
		"trainee": [],
	},
	"obligations": {"canteen": {"serve": [{"id": "o1", "properties": {"acr_value": "high"}, "type": "step-up"}]}},
	"permissions": {
		"chief": {"workload": {"cancel": true}},
		"payer": {"invoice": {"pay": true}},
		"scientist": {"checkpoint": {"read": true, "touch": true}},
		"staff": {"canteen": {"enter": true, "serve": true}},
	},
	"prerequisites": {"chief": ["trainee"]},
	"programs": {
		"agent": {
			"plan": {"read": ["cleared", "same_workload"]},
			"report": {"read": ["cleared"]},
		},
		"job": {"checkpoint": {"write": ["same_workload"]}},
		"tool": {"checkpoint": {"read": ["person_permitted"]}},
		"user": {"canteen": {"burn": []}},
	},
	"requesters": {"peer_kinds": ["portal"]},
	"requests": {"workload": {"cancel": {
		"approver": "judge",
		"denial_seconds": 60,
		"max_seconds": 3600,
		"pending_seconds": 600,
		"template": "judges",
	}}},
	"self_service": ["access.close-session", "access.open-session"],
	"sessions": {"max_seconds": 3600},
	"static_separation": {"court": {"max": 1, "roles": ["judge", "party"]}},
	"subject_types": {"agent": "program", "job": "program", "tool": "program", "user": "person"},
	"unregistered_types": ["canteen"],
}

operator := {"id": "seed", "kind": "operator"}

nobody := {"id": "anonymous", "kind": "anonymous"}

no_claims := {"action": {}, "context": {}, "resource": {}, "subject": {}}

no_record := {"attributes": {}, "found": false, "related": {}}

subject(type, id, members) := replace_members(
	{"attributes": {}, "found": true, "id": id, "incarnation": "i1", "related": {}, "type": type},
	members,
)

resource(type, id, members) := replace_members(
	{"attributes": {}, "found": true, "id": id, "related": {}, "type": type},
	members,
)

unknown(type, id) := {"attributes": {}, "found": false, "id": id, "related": {}, "type": type}

# `members` take the place of those of `base`: object.union would merge them.
replace_members(base, members) := object.union(object.remove(base, object.keys(members)), members)

# An evaluation; `facts` replaces whole fields.
evaluation(action, facts) := {
	"facts": replace_members(
		{
			"claimed": no_claims,
			"payload": {"action": action, "check": "valid"},
			"roles": {"assigned": []},
			"subject": subject("user", "ada", {}),
		},
		facts,
	),
	"now": now,
	"request": {"action": "access.evaluate", "obligations": [], "peer": nobody},
}

# A change that `peer` asks for.
asked(peer, action, change, facts) := {
	"facts": replace_members(
		{
			"claimed": no_claims,
			"payload": {"change": change, "check": "valid"},
			"resource": no_record,
			"roles": {"assigned": [], "members": {}},
			"subject": no_record,
		},
		facts,
	),
	"now": now,
	"request": {"action": action, "obligations": [], "peer": peer},
}

asked_by_operator(action, change, facts) := asked(operator, action, change, facts)

decide(request) := decision if {
	decision := access.decision with input as request with data.access as policy_data
}

allowed(request) if decide(request).allow

# Refused, for exactly these reasons, and without effects.
refused(request, reasons) if {
	decision := decide(request)
	decision.allow == false
	decision.effects == []
	{reason.code | some reason in decision.reasons} == reasons
}
