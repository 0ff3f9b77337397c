package assay.access.rbac_test

import data.assay.access.given_test as given
import data.assay.access.rbac

invoice := given.resource("invoice", "i1", {})

pay(roles) := given.evaluation("pay", {"resource": invoice, "roles": roles})

enter(roles) := given.evaluation("enter", {
	"resource": given.resource("canteen", "main", {}),
	"roles": roles,
})

test_a_senior_role_has_what_its_juniors_have if {
	given.allowed(enter({"assigned": ["scientist"]}))
	given.allowed(enter({"assigned": ["chief"]}))
}

test_a_junior_role_has_not_what_its_senior_has if {
	given.refused(
		given.evaluation("cancel", {"resource": given.resource("workload", "w1", {}), "roles": {"assigned": ["scientist"]}}),
		{"not_permitted"},
	)
}

test_a_role_that_the_hierarchy_does_not_name_counts_for_nothing if {
	given.refused(enter({"assigned": ["ghost"]}), {"not_permitted"})
}

test_all_assigned_roles_are_active_without_a_session if {
	given.allowed(pay({"assigned": ["judge", "payer"]}))
}

test_roles_that_exclude_each_other_need_a_session if {
	given.refused(pay({"assigned": ["biller", "payer"]}), {"session_required"})
}

test_separation_counts_inherited_roles if {
	sets := {"pair": {"max": 1, "roles": ["staff", "chief"]}}
	rbac.violated(sets, ["chief"]) == {"pair"} with data.access as given.policy_data
}

test_separation_allows_as_many_roles_as_it_says if {
	sets := {"pair": {"max": 2, "roles": ["judge", "party", "admin"]}}
	rbac.violated(sets, ["judge", "party"]) == set() with data.access as given.policy_data
	rbac.violated(sets, ["judge", "party", "admin"]) == {"pair"} with data.access as given.policy_data
}

active(request) := roles if {
	roles := rbac.active with input as request with data.access as given.policy_data
}

test_roles_that_exclude_each_other_are_not_active if {
	active(pay({"assigned": ["payer"]})) == {"payer", "staff"}
	active(pay({"assigned": ["biller", "payer"]})) == set()
}

test_roles_of_a_session_that_is_refused_are_not_active if {
	session := {
		"expires": given.now + 1,
		"found": true,
		"id": "s1",
		"incarnation": "i1",
		"opened": given.now,
		"roles": ["payer"],
		"subject": {"id": "ada", "type": "user"},
	}
	active(pay({"assigned": ["payer"], "session": session})) == {"payer", "staff"}
	active(pay({"assigned": ["payer"], "session": object.union(session, {"expires": given.now})})) == set()
	active(pay({"assigned": ["payer"], "session": {"found": false, "id": "s1"}})) == set()
}

test_a_person_acts_for_nobody_else if {
	someone := {
		"attributes": {},
		"found": true,
		"id": "bob",
		"incarnation": "i1",
		"roles": ["payer"],
		"type": "user",
	}
	subject := given.subject("user", "ada", {"acts_for": someone})
	given.refused(given.evaluation("pay", {"resource": invoice, "subject": subject}), {"not_permitted"})
	rbac.person.id == "ada" with input as given.evaluation("pay", {"subject": subject}) with data.access as given.policy_data
}
