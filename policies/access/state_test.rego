package assay.access.state_test

import data.assay.access.given_test as given

put(type, change) := given.asked_by_operator(
	"access.put-subject",
	object.union({"attributes": {}, "related": {}}, change),
	{"subject": {"attributes": {}, "found": false, "id": "x", "related": {}, "type": type}},
)

for_ada := {"acts_for": {"id": "ada", "type": "user"}}

test_subjects_of_known_types_are_stored if {
	given.allowed(put("user", {}))
	given.allowed(put("tool", for_ada))
}

test_a_subject_of_an_unknown_type_is_not_stored if {
	given.refused(put("robot", {}), {"unknown_subject_type"})
}

test_only_programs_act_for_somebody if given.refused(put("user", for_ada), {"not_a_program"})

test_programs_act_for_people if {
	given.refused(put("tool", {"acts_for": {"id": "t2", "type": "tool"}}), {"not_a_person"})
	given.refused(put("tool", {"acts_for": {"id": "r2", "type": "robot"}}), {"not_a_person"})
}

person(id, roles) := {"attributes": {}, "id": id, "related": {}, "roles": roles, "type": "user"}

imported(subjects, members) := given.asked_by_operator("access.import", {"resources": [], "subjects": subjects}, {
	"resource": {"attributes": {}, "existing": [], "found": false, "related": {}},
	"roles": {"assigned": [], "members": members},
	"subject": {"attributes": {}, "existing": [], "found": false, "related": {}},
})

test_an_import_is_one_effect if {
	subjects := [person("ada", ["chief", "trainee"]), person("bob", [])]
	decision := given.decide(imported(subjects, {"chief": 0, "trainee": 0}))
	decision.allow
	decision.effects == [{"kind": "access.import", "resources": [], "subjects": subjects}]
}

test_an_import_only_adds if {
	given.refused(
		given.asked_by_operator("access.import", {"resources": [], "subjects": []}, {
			"resource": {"attributes": {}, "existing": [{"id": "n1", "type": "node"}], "found": false, "related": {}},
			"subject": {"attributes": {}, "existing": [], "found": false, "related": {}},
		}),
		{"record_exists"},
	)
}

test_an_import_obeys_the_rules_for_subjects if {
	given.refused(imported([object.union(person("r2", []), {"type": "robot"})], {}), {"unknown_subject_type"})
	given.refused(imported([object.union(person("ada", []), for_ada)], {}), {"not_a_program"})
	given.refused(imported([object.union(person("t1", ["staff"]), {"type": "tool"})], {"staff": 0}), {"not_a_person"})
}

test_an_import_obeys_the_rules_for_roles if {
	given.refused(imported([person("ada", ["ghost"])], {"ghost": 0}), {"unknown_role"})
	given.refused(imported([person("ada", ["judge", "party"])], {}), {"static_separation"})
	given.refused(imported([person("ada", ["chief"])], {}), {"missing_prerequisite"})
}

test_an_import_counts_against_cardinality if {
	chiefs := array.concat(
		[person(id, ["chief", "trainee"]) | some id in ["ada", "bob"]],
		[person("cyd", ["trainee"])],
	)
	given.allowed(imported(chiefs, {"chief": 0}))
	given.refused(imported(chiefs, {"chief": 1}), {"role_full"})
}

test_one_bad_record_refuses_the_import if {
	given.refused(imported([person("ada", []), person("bob", ["ghost"])], {}), {"unknown_role"})
}
