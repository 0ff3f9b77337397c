package assay.opa.given_test

peer := {"kind": "embedded", "id": "process"}

stranger := {"kind": "anonymous", "id": "anonymous"}

no_query := {"check": "malformed", "entrypoint": "", "path": [], "rest": []}

no_change := {"outcome": "malformed_change", "paths": []}

asked(action, facts, who) := {
	"facts": object.union({"change": no_change, "claimed": {}, "query": no_query}, facts),
	"now": 1800000000,
	"request": {"action": action, "obligations": [], "peer": who},
}

codes(decision) := {reason.code | some reason in decision.reasons}
