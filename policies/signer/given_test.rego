# What the tests of this folder are given: policy data of their own, so that editing data.json breaks no test of a rule, and inputs.
package assay.signer.given_test

import data.assay.signer

now := 1800000000

policy_data := {
	"approval_seconds": 3600,
	"approvals": {"signer.revoke": 2},
	"deliver": [
		{"id": "puller", "kind": "service", "names": ["task"]},
		{"kind": "node", "names": ["*"]},
	],
	"delivery_seconds": 60,
	"may": {
		"anyone": ["signer.set"],
		"peers": [
			{"actions": ["*"], "kind": "operator", "scopes": ["*"]},
			{"actions": ["signer.create", "signer.activate", "signer.retire"], "id": "deployer", "kind": "service", "scopes": ["task"]},
			{"actions": ["signer.created", "signer.delivered", "signer.moved"], "id": "outbox", "kind": "embedded", "scopes": ["*"]},
			{"actions": ["signer.activate", "signer.expire", "signer.retire", "signer.rotate"], "id": "rotation", "kind": "kernel", "scopes": ["*"]},
		],
	},
	"scopes": {
		"bootstrap": scope_with("", ""),
		"secret": object.union(scope_with("", ""), {"algorithms": ["opaque"]}),
		"task": scope_with("node-task-signing", "verifier-root"),
	},
	"settle_seconds": 5,
}

scope_with(name, root) := {
	"algorithms": ["ed25519"],
	"auto": true,
	"grace_for": 600,
	"max_grace": 3600,
	"rotate_after": 1000,
	"set": {"name": name, "root": root},
}

operator := {"id": "root", "kind": "operator"}

second := {"id": "second", "kind": "operator"}

deployer := {"id": "deployer", "kind": "service"}

outbox := {"id": "outbox", "kind": "embedded"}

rotation := {"id": "rotation", "kind": "kernel"}

node := {"id": "node-7", "kind": "node"}

nobody := {"id": "anonymous", "kind": "anonymous"}

root := {
	"kid": "2948b42149c1fc43",
	"managed": true,
	"name": "verifier-root",
	"public_key": "root",
	"scope": "bootstrap",
	"version": 1,
}

no_root := object.union(root, {"kid": "", "version": 0})

version(number, state, members) := object.union(
	{
		"activated_at": 0,
		"created_at": now - 2000,
		"grace_until": 0,
		"kid": sprintf("00%d", [number]),
		"public_key": sprintf("key-%d", [number]),
		"published": 1,
		"reason": "",
		"revoked_at": 0,
		"state": state,
		"version": number,
	},
	members,
)

active(number) := version(number, "active", {"activated_at": now - 1000})

fresh(number) := version(number, "pre-active", {"published": 0})

waiting(number) := version(number, "pre-active", {"published": 2})

grace(number) := version(number, "grace", {"activated_at": now - 1500, "grace_until": now + 60})

retired(number) := version(number, "retired", {"activated_at": now - 1500})

revoked(number) := version(number, "revoked", {"activated_at": now - 1500, "reason": "stolen", "revoked_at": now - 10})

no_creating := {"after": 0, "emergency": false, "publish": false, "wanted": false}

creating(members) := object.union({"after": 1, "emergency": false, "publish": false, "wanted": true}, members)

no_pending := {"emergency": false, "rollback_of": 0, "version": 0}

pending(number) := {"emergency": false, "rollback_of": 0, "version": number}

record(versions, members) := replace_members(
	{
		"algorithm": "ed25519",
		"auto": true,
		"creating": no_creating,
		"grace_for": 600,
		"name": "task",
		"pending": no_pending,
		"rotate_after": 1000,
		"scope": "task",
		"set": {"name": "node-task-signing", "root": "verifier-root"},
		"set_version": 4,
		"versions": versions,
	},
	members,
)

# `members` take the place of those of `base`: object.union would merge them.
replace_members(base, members) := object.union(object.remove(base, object.keys(members)), members)

key(versions, members) := {"key": {"known": [record(versions, members)]}}

payload := {
	"algorithm": "none",
	"auto": false,
	"check": "valid",
	"delivery": "",
	"failed": "",
	"grace_for": 0,
	"have": 0,
	"name": "task",
	"override": "",
	"peer": {"id": "", "kind": ""},
	"reason": "",
	"recipient": "",
	"rotate_after": 0,
	"scope": "task",
	"sealed": "",
	"state": "none",
	"verifier": "",
	"version": 0,
}

says(members) := {"payload": replace_members(payload, members)}

verifier(acknowledged) := {"acknowledged": acknowledged, "id": "node-7", "peer": node}

made(number) := {"made": {
	"check": "valid",
	"kid": sprintf("00%d", [number]),
	"known": false,
	"public_key": sprintf("key-%d", [number]),
}}

# What `peer` asks; each of `changes` replaces whole fields.
asks(peer, verb, changes) := {
	"facts": replace_members(
		{
			"approvals": {"digest": "aa", "given": []},
			"delivery": {"count": 0, "expired": [], "known": []},
			"key": {"known": []},
			"keys": [],
			"made": {"check": "absent", "kid": "", "known": false, "public_key": ""},
			"payload": payload,
			"root": root,
			"set": {"version": 4},
			"verifier": {"known": []},
			"verifiers": {"count": 0, "known": []},
		},
		object.union_n(array.concat([{}], changes)),
	),
	"now": now,
	"request": {"action": concat(".", ["signer", verb]), "obligations": [], "peer": peer},
}

decide(given) := decision if {
	decision := signer.decision with input as given
		with data.signer as policy_data
		with data.signing.purposes as {"bootstrap": ["signer.set"], "task": ["task.sign"]}
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

stored(effects) := [effect.key | some effect in effects; effect.kind == "signer.store"][0]

# What verifiers are told; undefined where they are told nothing.
told(effects) := [effect.document | some effect in effects; effect.kind == "signer.publish"][0]

moved(effects) := [[effect.version, effect.state] | some effect in effects; effect.kind == "signer.move"]

states(of) := [each.state | some each in of.versions]
