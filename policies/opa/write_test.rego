package assay.opa.write_test

import data.assay.opa
import data.assay.opa.given_test as given

documents := {"users": {"found": true, "value": {"ann": 1}}}

pushed(action, outcome, who) := given.asked(
	action,
	{"change": {"outcome": outcome, "paths": [["users"]]}, "claimed": {"documents": documents}},
	who,
)

actions := {"opa.put-data", "opa.patch-data", "opa.delete-data"}

test_a_writer_pushes_documents if {
	every action in actions {
		decision := opa.decision with input as pushed(action, "applicable", given.peer)
		decision.allow
		decision.effects == [{"kind": "opa.write-documents", "documents": documents}]
		given.codes(decision) == {"change_permitted"}
	}
}

test_a_peer_of_another_kind_does_not if {
	every action in actions {
		decision := opa.decision with input as pushed(action, "applicable", {"kind": "visitor", "id": "v"})
		not decision.allow
		decision.effects == []
		given.codes(decision) == {"not_a_writer"}
	}
}

test_what_cannot_be_done_is_told if {
	outcomes := {
		"document_exists",
		"document_not_found",
		"invalid_change",
		"malformed_change",
		"not_an_object",
		"owned_by_bundle",
		"reserved_path",
		"rule_conflict",
	}
	every outcome in outcomes {
		decision := opa.decision with input as pushed("opa.put-data", outcome, given.peer)
		not decision.allow
		decision.effects == []
		given.codes(decision) == {outcome}
	}
}

test_an_unknown_action_is_refused if {
	decision := opa.decision with input as given.asked("opa.other", {}, given.peer)
	given.codes(decision) == {"not_permitted"}
}
