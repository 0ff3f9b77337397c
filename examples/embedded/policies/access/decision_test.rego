package assay.access_test

import data.assay.access

# What the plugin reports when `id` does `action` to Ada's note.
asked(id, action, note) := {
	"facts": {
		"payload": {"action": action, "check": "valid"},
		"resource": {"attributes": note, "found": true, "id": "plan"},
		"subject": {"attributes": {}, "found": true, "id": id},
	},
	"request": {"action": "access.evaluate", "peer": {"id": "notes", "kind": "embedded"}},
}

shared := {"owner": "ada", "shared": true}

diary := {"owner": "ada", "shared": false}

codes(decision) := [reason.code | some reason in decision.reasons]

test_owners_do_everything_with_their_notes if {
	every action in ["read", "write", "delete"] {
		decision := access.decision with input as asked("ada", action, diary)
		decision.allow
		codes(decision) == ["owner"]
	}
}

test_owners_do_nothing_that_nobody_thought_of if {
	decision := access.decision with input as asked("ada", "publish", diary)
	not decision.allow
}

test_everybody_reads_what_is_shared if {
	decision := access.decision with input as asked("ben", "read", shared)
	decision.allow
	codes(decision) == ["shared"]
}

test_nobody_else_reads_a_diary if {
	decision := access.decision with input as asked("ben", "read", diary)
	not decision.allow
	codes(decision) == ["not_permitted"]
}

test_nobody_else_writes_or_deletes if {
	every action in ["write", "delete"] {
		decision := access.decision with input as asked("ben", action, shared)
		not decision.allow
	}
}

test_a_stranger_reads_nothing if {
	stranger := object.union(asked("mallory", "read", shared), {"facts": {"subject": {"found": false}}})
	decision := access.decision with input as stranger
	not decision.allow
}

test_the_suspended_do_nothing if {
	suspended := {"facts": {"subject": {"attributes": {"suspended": true}}}}
	decision := access.decision with input as object.union(asked("ada", "read", diary), suspended)
	not decision.allow
	codes(decision) == ["suspended"]
}

test_a_deletion_is_told if {
	decision := access.decision with input as asked("ada", "delete", diary)
	[obligation.properties | some obligation in decision.obligations] == [{"body": "deleted: plan", "to": "ada"}]
	read := access.decision with input as asked("ada", "read", diary)
	read.obligations == []
}

test_a_malformed_question_has_no_answer if {
	decision := access.decision with input as {
		"facts": {
			"payload": {"check": "malformed"},
			"resource": {"attributes": {}, "found": false},
			"subject": {"attributes": {}, "found": false},
		},
		"request": {"action": "access.evaluate", "peer": {"id": "notes", "kind": "embedded"}},
	}
	not decision.allow
}

import_by(kind, existing) := {
	"facts": {
		"payload": {"change": {"subjects": []}, "check": "valid"},
		"resource": {"existing": []},
		"subject": {"existing": existing},
	},
	"request": {"action": "access.import", "peer": {"id": "seed", "kind": kind}},
}

test_the_first_state_is_imported if {
	decision := access.decision with input as import_by("operator", [])
	decision.allow
	decision.effects == [{"kind": "access.import", "subjects": []}]
}

test_nobody_else_imports if {
	by_service := access.decision with input as import_by("embedded", [])
	not by_service.allow
	again := access.decision with input as import_by("operator", [{"type": "user", "id": "ada"}])
	not again.allow
}
