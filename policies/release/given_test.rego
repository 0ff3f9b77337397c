# What the tests of this folder are given: policy data of their own, so that editing data.json breaks no test of a rule, and inputs.
package assay.release.given_test

import data.assay.release

now := 1800000000

policy_data := {
	"drop_after_release": true,
	"grace_seconds": 100,
	"legacy": true,
	"peers": {
		"release.drop": ["operator"],
		"release.hand-over": ["operator"],
		"release.pin": ["operator"],
		"release.verify": ["*"],
	},
	"require": {"file": false, "version": false},
}

operator := {"id": "root", "kind": "operator"}

anyone := {"id": "anonymous", "kind": "anonymous"}

# `members` take the place of those of `base`: object.union would merge them.
replace_members(base, members) := object.union(object.remove(base, object.keys(members)), members)

first_id := "00000000000000A1"

second_id := "00000000000000B2"

pin := {
	"key_id": first_id,
	"lineage": first_id,
	"public_key": "first",
	"since": now - 1000,
	"state": "active",
}

successor := {
	"key_id": second_id,
	"lineage": first_id,
	"predecessor": first_id,
	"public_key": "second",
	"since": now - 10,
	"state": "active",
}

in_grace(until) := object.union(pin, {"state": "grace", "until": until})

version(text, parts) := {"order": [parts, 1, []], "text": text}

comment(members) := replace_members({"text": "", "unclear": []}, members)

signature(members) := replace_members(
	{
		"algorithm": "prehashed",
		"check": "valid",
		"comment": comment({}),
		"key_id": first_id,
		"pin": pin,
	},
	members,
)

# A signature that says no more than this.
failing(check) := {"algorithm": "prehashed", "check": check, "key_id": first_id, "pin": pin}

key(members) := replace_members(
	{"check": "valid", "key_id": second_id, "known": false, "public_key": "second"},
	members,
)

no_key := {"check": "absent", "key_id": "", "known": false, "public_key": ""}

name := "grafos-1.4.2.tar.gz"

sha256 := "aa"

facts := {
	"artifact": {"family": "grafos-*.tar.gz", "named": version("1.4.2", [1, 4, 2]), "plain": true},
	"artifact_signature": {"check": "absent"},
	"claimed": {"artifact": name, "blake2b512": "bb", "keys": [], "minimum": {}, "sha256": sha256, "size": 5},
	"hand_over": {"check": "absent"},
	"key": no_key,
	"lineages": [],
	"payload": {"check": "valid"},
	"recorded": {},
	"sums": {"digests": [], "present": false},
	"sums_signature": {"check": "absent"},
}

asks(action, members) := {
	"facts": replace_members(facts, members),
	"now": now,
	"request": {"action": action, "obligations": [], "peer": operator},
}

from(peer, asked) := object.union(asked, {"request": replace_members(asked.request, {"peer": peer})})

# A release in order; `members` replaces whole facts.
verifies(members) := asks("release.verify", replace_members(
	{
		"artifact_signature": signature({"comment": comment({
			"file": name,
			"timestamp": 1700,
			"version": version("1.4.2", [1, 4, 2]),
		})}),
		"sums": {"digests": [sha256], "present": true},
		"sums_signature": signature({}),
	},
	members,
))

# The artifact's trusted comment states this.
states(members) := verifies({"artifact_signature": signature({"comment": comment(members)})})

claims(members) := verifies({"claimed": replace_members(facts.claimed, members)})

data_with(members) := replace_members(policy_data, members)

decide_with(given, policies) := decision if {
	decision := release.decision with input as given
		with data.release as policies
		with data.freeze as {"actions": []}
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

allowed(given, code) if {
	decision := decide(given)
	decision.allow
	codes(decision) == [code]
}
