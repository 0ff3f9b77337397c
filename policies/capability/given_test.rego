# What the tests of this folder are given: bounds of their own, so that editing data.json breaks no test of a rule, and inputs.
package assay.capability.given_test

import data.assay.capability

now := 1800000000

handle := "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

# `members` take the place of those of `base`: object.union would merge them.
replace_members(base, members) := object.union(object.remove(base, object.keys(members)), members)

token := {
	"aud": "cell-a",
	"bound": false,
	"caveats": {},
	"check": "valid",
	"exp": now + 200,
	"gen": 4,
	"handles": [handle],
	"iat": now - 100,
	"iss": "cell-a",
	"jti": "j",
	"key_state": "active",
	"lease": "l1",
	"resource": "gpu-0",
	"sealed": false,
	"signer": "AAAA",
	"surplus": [],
	"tenant": "acme",
	"unsupported": 0,
}

lease := {
	"cell": "cell-a",
	"expires_at": now + 200,
	"generation": 4,
	"resource": "gpu-0",
	"state": "active",
	"tenant": "acme",
}

state := {
	"cell": {"local": true},
	"counters": {},
	"lease": lease,
	"resource": {"lease": "l1", "state": "leased"},
	"revocations": [],
}

# Of a cell of another kernel: there is no lease to look at.
foreign(as_of) := {
	"cell": {"as_of": as_of, "local": false},
	"counters": {},
	"revocations": [],
}

caller := {
	"cell": "",
	"check": "absent",
	"key_state": "none",
	"nonce": "",
	"nonce_state": "fresh",
	"time": 0,
}

# A request in which `facts` replaces whole fields.
asks(action, facts) := {
	"facts": replace_members(
		{
			"caller": caller,
			"claimed": {"at": "cell-a", "operation": {"op": "submit", "resource": "gpu-0"}},
			"payload": {"check": "valid"},
			"proof": {"check": "absent"},
			"report": {},
			"state": state,
			"sweep": {"records": []},
			"token": token,
		},
		facts,
	),
	"now": now,
	"request": {"action": action, "obligations": [], "peer": {"id": "anonymous", "kind": "anonymous"}},
}

with_token(members) := asks("capability.use", {"token": object.union(token, members)})

with_state(members) := asks("capability.use", {"state": replace_members(state, members)})

# One caveat, met by an operation that has these members beside `op` and `resource`.
with_caveat(type, value, operation) := asks("capability.use", {
	"claimed": {"at": "cell-a", "operation": object.union({"op": "submit", "resource": "gpu-0"}, operation)},
	"state": replace_members(state, {"counters": {type: [{"amount": 0, "key": sprintf("%s/0", [handle]), "since": 0}]}}),
	"token": object.union(token, {"caveats": {type: [value]}}),
})

decide(given) := decision if {
	decision := capability.decision with input as given
		with data.capability.max_revocation_age as 10
		with data.capability.max_ttl as 300
		with data.capability.proof_window as 30
		with data.capability.skew as 30
		with data.capability.sweepers as ["operator"]
		with data.freeze as {"actions": []}
}

allowed(given) if decide(given).allow

# One reason, and no effect.
refused(given, code) if {
	decision := decide(given)
	not decision.allow
	decision.effects == []
	[reason.code | some reason in decision.reasons] == [code]
}

# What a caveat's own tests ask.
permits(type, value, operation) if allowed(with_caveat(type, value, operation))

denies(type, value, operation) if refused(with_caveat(type, value, operation), "caveat_denied")

malformed(type, values) if {
	every value in values {
		refused(with_caveat(type, value, {}), "malformed_caveat")
	}
}
