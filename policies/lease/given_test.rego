# What the tests of this folder are given: policy data of their own, so that editing data.json breaks no test of a rule, and inputs.
package assay.lease.given_test

import data.assay.lease

now := 1800000000

lease_id := "0123456789abcdef0123456789abcdef"

key := "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

policy_data := {
	"actions": {
		"anyone": ["lease.free"],
		"cell": ["lease.add-resource", "lease.observed", "lease.torn-down"],
		"operator": [
			"lease.add-resource", "lease.expire", "lease.grant", "lease.observed",
			"lease.renew", "lease.request-reset", "lease.revoke", "lease.torn-down",
		],
		"tenant": ["lease.grant", "lease.renew"],
	},
	"max_ttl": 300,
	"operators": [{"kind": "operator"}],
	"tenants": {"acme": [{"id": "acme-cli", "kind": "service"}], "demo": [{"kind": "anonymous"}]},
}

operator := {"id": "root", "kind": "operator"}

nobody := {"id": "anonymous", "kind": "anonymous"}

acme := {"id": "acme-cli", "kind": "service"}

uncalled := {
	"cell": "",
	"check": "absent",
	"key_state": "none",
	"nonce": "",
	"nonce_state": "fresh",
	"time": 0,
}

caller := {
	"cell": "cell-a",
	"check": "valid",
	"key_state": "active",
	"nonce": "AAAAAAAAAAAAAAAAAAAAAA",
	"nonce_state": "fresh",
	"time": now,
}

local_cell := {"custody": "cell-a", "found": true, "local": true, "name": "cell-a"}

no_cell := {"custody": "", "found": false, "local": false, "name": ""}

demo := {"found": true, "name": "demo", "state": "active"}

no_tenant := {"found": false, "name": "", "state": ""}

# `members` take the place of those of `base`: object.union would merge them.
replace_members(base, members) := object.union(object.remove(base, object.keys(members)), members)

lease_record(members) := {"found": true, "record": replace_members(
	{
		"caveats": [],
		"cell": "cell-a",
		"expires_at": now + 60,
		"generation": 3,
		"granted_at": now - 240,
		"lease": lease_id,
		"resource": "gpu-0",
		"state": "active",
		"tenant": "demo",
	},
	members,
)}

resource_record(members) := {"found": true, "name": "gpu-0", "record": replace_members(
	{
		"cell": "cell-a",
		"epoch": 6,
		"resource": "gpu-0",
		"since": now - 60,
		"state": "free",
	},
	members,
)}

leased := resource_record({"lease": lease_id, "state": "leased"})

tearing := resource_record({"lease": lease_id, "state": "tearing_down"})

fenced := resource_record({"fence": {"at": now, "why": ""}, "lease": lease_id, "state": "fenced"})

# What `peer` asks; `facts` replaces whole fields.
asks(peer, action, facts) := {
	"facts": replace_members(
		{
			"caller": uncalled,
			"cell": no_cell,
			"claimed": {"why": ""},
			"lease": {"found": false},
			"payload": {"check": "valid"},
			"resource": {"found": false, "name": "gpu-0"},
			"revoked": {},
			"tenant": no_tenant,
		},
		facts,
	),
	"now": now,
	"request": {"action": action, "obligations": [], "peer": peer},
}

adding(facts) := asks(operator, "lease.add-resource", replace_members({"cell": local_cell}, facts))

granting(facts) := granting_as(operator, facts)

granting_as(peer, facts) := asks(peer, "lease.grant", replace_members(
	{
		"cell": local_cell,
		"payload": {"check": "valid", "nk": key, "ttl": 60},
		"resource": resource_record({}),
		"tenant": demo,
	},
	facts,
))

renewing(facts) := renewing_as(operator, facts)

renewing_as(peer, facts) := asks(peer, "lease.renew", replace_members(
	{
		"cell": local_cell,
		"lease": lease_record({}),
		"payload": {"check": "valid", "generation": 3, "nk": key, "ttl": 60},
		"resource": leased,
		"tenant": demo,
	},
	facts,
))

ending(action, facts) := asks(operator, action, replace_members(
	{"lease": lease_record({}), "resource": leased},
	facts,
))

reporting(ok, facts) := asks(operator, "lease.torn-down", replace_members(
	{
		"claimed": {"why": "it hangs"},
		"lease": lease_record({"state": "freed", "teardown": {"epoch": 6}}),
		"payload": {"check": "valid", "epoch": 6, "ok": ok},
		"resource": tearing,
	},
	facts,
))

observing(facts) := asks(operator, "lease.observed", replace_members(
	{"payload": {"check": "valid", "epoch": 6}, "resource": fenced},
	facts,
))

decide(given) := decision if {
	decision := lease.decision with input as given
		with data.lease as policy_data
		with data.freeze as {"actions": []}
}

allowed(given, code) if {
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
