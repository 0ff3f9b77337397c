package assay.enrolment.transition_test

import data.assay.enrolment.given_test as given

moves(from, to) := given.asks(given.operator, "enrolment.transition-key", [
	given.registered("cell", "cell-a", from),
	given.payload({"state": to}),
])

moved(to) := {"kind": "enrolment.transition", "public_key": given.first, "state": to}

told := {"kind": "enrolment.revoke-elsewhere", "public_key": given.first}

test_a_key_goes_forward if {
	every step in [["active", "grace"], ["grace", "retired"], ["pre-active", "active"]] {
		given.allowed(moves(step[0], step[1]), "transitioned") == [moved(step[1])]
	}
}

test_a_key_is_revoked_from_any_state_and_others_are_told if {
	every from in ["pre-active", "active", "grace", "retired"] {
		given.allowed(moves(from, "revoked"), "transitioned") == [moved("revoked"), told]
	}
}

test_a_key_does_not_go_back_or_stay if {
	states := ["pre-active", "active", "grace", "retired", "revoked"]
	every i, from in states {
		every to in array.slice(states, 0, i + 1) {
			given.refused(moves(from, to), "invalid_transition")
		}
	}
}

test_a_step_is_not_left_out if {
	given.refused(moves("active", "retired"), "invalid_transition")
	given.refused(moves("pre-active", "grace"), "invalid_transition")
}

test_a_key_that_nobody_registered if {
	given.refused(moves("none", "revoked"), "invalid_transition")
	asked := given.asks(given.operator, "enrolment.transition-key", [
		given.payload({"state": "revoked"}),
		given.owner("none", "", []),
	])
	given.refused(asked, "unknown_key")
}
