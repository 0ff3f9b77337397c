package assay.access.session_test

import data.assay.access.given_test as given

open := {
	"expires": given.now + 60,
	"found": true,
	"id": "s1",
	"incarnation": "i1",
	"opened": given.now - 60,
	"roles": ["payer"],
	"subject": {"id": "ada", "type": "user"},
}

pay(assigned, session) := given.evaluation("pay", {
	"resource": given.resource("invoice", "i1", {}),
	"roles": {"assigned": assigned, "session": session},
})

test_a_session_activates_one_of_two_that_exclude_each_other if {
	given.allowed(pay(["biller", "payer"], open))
}

test_a_session_has_no_other_role_than_it_activated if {
	given.refused(pay(["judge", "payer"], object.union(open, {"roles": ["judge"]})), {"not_permitted"})
}

test_a_session_may_activate_a_junior_role if {
	request := given.evaluation("enter", {
		"resource": given.resource("canteen", "main", {}),
		"roles": {"assigned": ["chief"], "session": object.union(open, {"roles": ["staff"]})},
	})
	given.allowed(request)
}

test_a_revoked_role_is_gone_from_the_session if {
	given.refused(pay(["biller"], open), {"not_permitted"})
}

test_an_unknown_session_is_refused if {
	given.refused(pay(["payer"], {"found": false, "id": "s1"}), {"unknown_session"})
}

test_somebody_elses_session_is_refused if {
	every change in [
		{"subject": {"id": "bob", "type": "user"}},
		{"subject": {"id": "ada", "type": "tool"}},
		{"incarnation": "i0"},
	] {
		given.refused(pay(["payer"], object.union(open, change)), {"foreign_session"})
	}
}

test_a_session_of_nobody_in_particular_is_refused if {
	request := given.evaluation("write", {
		"resource": given.resource("checkpoint", "c1", {"related": {"workload": given.resource("workload", "w1", {})}}),
		"roles": {"assigned": [], "session": open},
		"subject": given.subject("job", "j1", {"related": {"workload": given.resource("workload", "w1", {})}}),
	})
	given.refused(request, {"foreign_session"})
}

test_an_ended_session_is_refused_to_the_second if {
	given.refused(pay(["payer"], object.union(open, {"expires": given.now})), {"session_expired"})
	given.allowed(pay(["payer"], object.union(open, {"expires": given.now + 1})))
}

test_a_session_with_excluding_roles_is_refused if {
	given.refused(
		pay(["biller", "payer"], object.union(open, {"roles": ["biller", "payer"]})),
		{"dynamic_separation"},
	)
}
