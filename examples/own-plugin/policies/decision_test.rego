package assay.deployment_test

import data.assay.deployment

deploy(statement, deployed) := {
	"facts": {
		"deployed": deployed,
		"payload": {"check": "valid"},
		"signer": {"found": true, "id": "ci"},
		"statement": statement,
	},
	"request": {"action": "deployment.deploy", "peer": {"id": "ci", "kind": "anonymous"}},
}

pin(kind, found) := {
	"facts": {
		"deployed": {"found": false},
		"payload": {"check": "valid"},
		"signer": {"found": found, "id": "ci", "key": "AAAA"},
		"statement": {"check": "absent"},
	},
	"request": {"action": "deployment.pin", "peer": {"id": "x", "kind": kind}},
}

signed := {"artifact": "api", "check": "valid", "version": 7}

never := {"found": false}

codes(decision) := [reason.code | some reason in decision.reasons]

test_a_signed_release_is_deployed_and_recorded if {
	decision := deployment.decision with input as deploy(signed, never)
	decision.allow
	codes(decision) == ["signed_release"]
	decision.effects == [{"artifact": "api", "kind": "deployment.record", "version": 7}]
}

test_a_newer_one_replaces_it if {
	decision := deployment.decision with input as deploy(signed, {"found": true, "version": 6})
	decision.allow
}

test_no_way_back if {
	every version in [7, 8] {
		decision := deployment.decision with input as deploy(signed, {"found": true, "version": version})
		not decision.allow
		codes(decision) == ["not_newer"]
		decision.effects == []
	}
}

test_what_failed_its_check_is_refused if {
	expected := {
		"malformed": "malformed_statement",
		"signature_invalid": "signature_invalid",
		"unknown_signer": "unknown_signer",
	}
	every check, code in expected {
		decision := deployment.decision with input as deploy({"check": check}, never)
		not decision.allow
		codes(decision) == [code]
	}
}

test_the_operator_pins_a_key if {
	every kind in ["embedded", "operator"] {
		decision := deployment.decision with input as pin(kind, false)
		decision.allow
		codes(decision) == ["operator_pins"]
		decision.effects == [{"key": "AAAA", "kind": "deployment.pin", "signer": "ci"}]
	}
}

test_nobody_else_pins if {
	decision := deployment.decision with input as pin("anonymous", false)
	not decision.allow
	codes(decision) == ["not_operator"]
}

test_a_pinned_key_is_not_replaced if {
	decision := deployment.decision with input as pin("operator", true)
	not decision.allow
	codes(decision) == ["already_pinned"]
}

test_a_malformed_request_is_refused if {
	malformed := object.union(pin("operator", false), {"facts": {"payload": {"check": "malformed"}}})
	decision := deployment.decision with input as malformed
	not decision.allow
	"malformed_request" in codes(decision)
}

test_the_organisation_refuses_here_too if {
	frozen := {"code": "frozen", "message": "frozen", "rule": "assay.main.deny"}
	decision := deployment.decision with input as deploy(signed, never)
		with data.assay.main.deny as {frozen}
	not decision.allow
	codes(decision) == ["frozen"]
}
