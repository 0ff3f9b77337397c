package assay.signer.transition_test

import data.assay.signer.given_test as given
import data.assay.signer.transition

in_state := {
	"active": given.active(1),
	"grace": given.grace(1),
	"pre-active": given.waiting(1),
	"retired": given.retired(1),
	"revoked": given.revoked(1),
}

over := {"grace": given.version(1, "grace", {"activated_at": 1, "grace_until": given.now})}

# Which action brings a version there.
verb(from, "active") := "activate" if {
	not transition.back(from)
} else := "rollback"

verb(_, "retired") := "retire"

asked(from, to) := decision if {
	key := object.get(over, from, in_state[from])
	decision := given.decide(given.asks(given.operator, verb(from, to), [
		given.says({"reason": "why", "version": 1}),
		given.key([key, given.active(2)], {}),
	]))
}

test_every_step_of_the_table_and_no_other if {
	every from, _ in in_state {
		every to in ["active", "retired"] {
			listed := to in transition.next[from]
			asked(from, to).allow == listed
		}
	}
}

test_what_is_refused_has_a_reason if {
	every from in ["active", "revoked"] {
		asked(from, "active").reasons[0].code == "invalid_transition"
		asked(from, "retired").reasons[0].code == "invalid_transition"
	}
	back := given.says({"reason": "why", "version": 1})
	revoked := given.key([given.revoked(1), given.active(2)], {})
	given.refused(given.asks(given.operator, "rollback", [back, revoked]), "invalid_transition")
	asked("retired", "retired").reasons[0].code == "invalid_transition"
}

revoking(from) := given.decide(given.asks(given.operator, "revoke", [
	given.says({"reason": "why", "version": 1}),
	given.key([in_state[from], given.active(2)], {}),
	{"approvals": {"digest": "aa", "given": [{"at": given.now, "id": "second", "kind": "operator"}]}},
]))

test_anything_is_revoked_once if {
	every from in ["active", "grace", "pre-active", "retired"] {
		revoking(from).allow
	}
	revoking("revoked").reasons[0].code == "invalid_transition"
}
