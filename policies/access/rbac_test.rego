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
