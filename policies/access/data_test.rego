# What must hold for data.json, whatever a security team writes into it.
package assay.access.data_test

import data.access
import data.assay.access.rbac

known := object.keys(access.hierarchy)

named := [role | some juniors in access.hierarchy; some role in juniors]

in_sets := [role |
	some sets in [access.static_separation, access.dynamic_separation]
	some group in sets
	some role in group.roles
]

required := [role | some roles in access.prerequisites; some role in roles]

test_every_role_that_is_named_is_in_the_hierarchy if {
	every role in array.concat(named, array.concat(in_sets, required)) {
		role in known
	}
	object.keys(access.permissions) - known == set()
	object.keys(access.constraints) - known == set()
	object.keys(access.cardinality) - known == set()
	object.keys(access.prerequisites) - known == set()
	access.administrators.role in known
}

test_no_role_inherits_itself if {
	every role, juniors in access.hierarchy {
		not role in graph.reachable(access.hierarchy, juniors)
	}
}

test_no_role_violates_separation_by_itself if {
	every role in known {
		count(rbac.violated(access.static_separation, [role])) == 0
		count(rbac.violated(access.dynamic_separation, [role])) == 0
	}
}

test_separation_sets_separate if {
	every sets in [access.static_separation, access.dynamic_separation] {
		every group in sets {
			group.max >= 1
			group.max < count(group.roles)
		}
	}
}

test_subject_types_are_people_or_programs if {
	every kind in access.subject_types {
		kind in {"person", "program"}
	}
	every type in object.keys(access.programs) {
		access.subject_types[type] == "program"
	}
}
