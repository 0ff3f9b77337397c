package assay.access.evaluate_test

import data.assay.access.given_test as given

canteen := given.unknown("canteen", "main")

enter(facts) := given.evaluation("enter", object.union({"resource": canteen}, facts))

as_staff := {"roles": {"assigned": ["staff"]}}

test_a_role_permits if {
	decision := given.decide(enter(as_staff))
	decision.allow
	decision.reasons == [{
		"code": "role_permitted",
		"message": "the active role staff permits this",
		"rule": "assay.access.evaluate.grant",
	}]
	decision.effects == []
	decision.obligations == []
}

test_without_a_role_nothing_is_permitted if given.refused(enter({}), {"not_permitted"})

test_another_action_is_not_permitted if {
	given.refused(given.evaluation("burn", object.union(as_staff, {"resource": canteen})), {"not_permitted"})
}

test_an_unknown_subject_is_refused if {
	given.refused(enter({"roles": {"assigned": ["staff"]}, "subject": given.unknown("user", "eve")}), {"unknown_subject"})
}

test_a_subject_type_without_rules_is_refused if {
	given.refused(enter(object.union(as_staff, {"subject": given.subject("robot", "r2", {})})), {"unknown_subject_type"})
}

test_a_disabled_subject_is_refused if {
	every value in [true, "yes", null, 0] {
		off := given.subject("user", "ada", {"attributes": {"disabled": value}})
		given.refused(enter(object.union(as_staff, {"subject": off})), {"subject_disabled"})
	}
}

test_a_subject_that_is_not_disabled_is_permitted if {
	given.allowed(enter(object.union(as_staff, {"subject": given.subject("user", "ada", {"attributes": {"disabled": false}})})))
}

test_an_unknown_resource_is_refused_where_its_type_is_registered if {
	given.refused(
		given.evaluation("pay", {"resource": given.unknown("invoice", "i1"), "roles": {"assigned": ["payer"]}}),
		{"unknown_resource"},
	)
	given.allowed(given.evaluation("pay", {"resource": given.resource("invoice", "i1", {}), "roles": {"assigned": ["payer"]}}))
}

test_claims_change_nothing if {
	claims := {
		"action": {"role": "staff"},
		"context": {"roles": ["staff"], "role": "admin"},
		"resource": {"owner": "ada"},
		"subject": {"role": "staff", "roles": ["staff", "admin"]},
	}
	given.refused(enter({"claimed": claims}), {"not_permitted"})
}

test_a_malicious_name_finds_no_permission if {
	every name in ["__proto__", "constructor", "toString"] {
		given.refused(given.evaluation(name, object.union(as_staff, {"resource": canteen})), {"not_permitted"})
	}
}
