package assay.access.assignment_test

import data.assay.access.given_test as given

ada := {"subject": given.subject("user", "ada", {})}

gone := {"subject": given.unknown("user", "ada")}

many(n_roles) := [sprintf("r%d", [n]) | some n in numbers.range(1, n_roles)]

with_roles(assigned, members) := object.union(ada, {"roles": {"assigned": assigned, "members": members}})

assigning(role, facts) := given.asked_by_operator("access.assign", {"role": role}, facts)

revoking(role, facts) := given.asked_by_operator("access.revoke", {"role": role}, facts)

test_a_role_is_assigned if given.allowed(assigning("staff", with_roles(["judge"], {"staff": 7})))

test_nothing_is_assigned_to_an_unknown_subject if {
	given.refused(assigning("staff", gone), {"unknown_subject"})
}

test_a_program_gets_no_role if {
	given.refused(assigning("staff", {"subject": given.subject("tool", "t1", {})}), {"not_a_person"})
}

test_a_subject_without_rules_gets_no_role if {
	given.refused(assigning("staff", {"subject": given.subject("robot", "r2", {})}), {"not_a_person"})
}

test_nothing_else_is_told_about_an_unknown_subject if {
	given.refused(assigning("staff", {"subject": given.unknown("tool", "t1")}), {"unknown_subject"})
}

test_an_unknown_role_is_not_assigned if given.refused(assigning("ghost", ada), {"unknown_role"})

test_a_role_is_assigned_once if given.refused(assigning("staff", with_roles(["staff"], {"staff": 1})), {"already_assigned"})

test_a_subject_holds_a_bounded_number_of_roles if {
	given.allowed(assigning("staff", with_roles(many(63), {})))
	given.refused(assigning("staff", with_roles(many(64), {})), {"too_many_roles"})
}

test_static_separation if given.refused(assigning("judge", with_roles(["party"], {})), {"static_separation"})

test_cardinality if {
	given.allowed(assigning("chief", with_roles(["trainee"], {"chief": 1})))
	given.refused(assigning("chief", with_roles(["trainee"], {"chief": 2})), {"role_full"})
}

test_prerequisites if given.refused(assigning("chief", ada), {"missing_prerequisite"})

test_a_role_is_revoked if given.allowed(revoking("staff", with_roles(["judge", "staff"], {"staff": 1})))

test_a_role_that_the_policy_no_longer_knows_is_revoked if {
	given.allowed(revoking("ghost", with_roles(["ghost"], {"ghost": 1})))
}

test_a_role_that_is_not_there_is_not_revoked if given.refused(revoking("judge", ada), {"role_not_assigned"})

test_nothing_is_revoked_from_an_unknown_subject if {
	given.refused(revoking("judge", gone), {"role_not_assigned", "unknown_subject"})
}

test_a_role_that_another_requires_is_not_revoked if {
	given.refused(revoking("trainee", with_roles(["chief", "trainee"], {"trainee": 1})), {"required_by_role"})
	given.allowed(revoking("chief", with_roles(["chief", "trainee"], {"chief": 1})))
}

opening(change, facts) := given.asked_by_operator(
	"access.open-session",
	object.union({"expires": given.now + 60, "roles": ["payer"]}, change),
	given.replace_members(
		{
			"roles": {"assigned": ["biller", "payer"], "members": {}, "session": {"found": false, "id": "s1"}},
			"subject": given.subject("user", "ada", {}),
		},
		facts,
	),
)

test_a_session_is_opened if given.allowed(opening({}, {}))

test_a_session_for_an_unknown_subject_is_refused if {
	given.refused(opening({}, gone), {"unknown_subject"})
}

test_a_session_for_a_program_is_refused if {
	given.refused(opening({}, {"subject": given.subject("tool", "t1", {})}), {"not_a_person"})
}

test_a_session_for_a_disabled_subject_is_refused if {
	off := given.subject("user", "ada", {"attributes": {"disabled": true}})
	given.refused(opening({}, {"subject": off}), {"subject_disabled"})
}

test_a_session_name_is_used_once if {
	there := {"assigned": ["payer"], "members": {}, "session": {"found": true, "id": "s1"}}
	given.refused(opening({}, {"roles": there}), {"session_exists"})
}

test_a_session_activates_something if given.refused(opening({"roles": []}, {}), {"no_roles"})

test_a_session_activates_assigned_roles_only if given.refused(opening({"roles": ["judge"]}, {}), {"role_not_assigned"})

test_a_session_may_activate_a_junior_role if given.allowed(opening({"roles": ["staff"]}, {}))

test_a_session_respects_dynamic_separation if {
	given.refused(opening({"roles": ["biller", "payer"]}, {}), {"dynamic_separation"})
}

test_a_session_ends_in_time if {
	given.refused(opening({"expires": given.now}, {}), {"session_lifetime"})
	given.allowed(opening({"expires": given.now + 1}, {}))
	given.allowed(opening({"expires": given.now + 3600}, {}))
	given.refused(opening({"expires": given.now + 3601}, {}), {"session_lifetime"})
}

test_an_unknown_session_is_not_closed if {
	given.refused(
		given.asked_by_operator("access.close-session", {}, {"roles": {
			"assigned": [],
			"members": {},
			"session": {"found": false, "id": "s1"},
		}}),
		{"unknown_session"},
	)
}

test_nothing_unknown_is_removed if {
	given.refused(given.asked_by_operator("access.remove-subject", {}, gone), {"unknown_subject"})
	given.refused(given.asked_by_operator("access.remove-resource", {}, {"resource": given.unknown("node", "n1")}), {"unknown_resource"})
}
