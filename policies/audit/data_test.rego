# What must hold for data.json, whatever a security team writes into it.
package assay.audit.data_test

import data.audit

test_every_role_that_is_given_exists if {
	every role in audit.peer_kinds {
		role in object.keys(audit.roles)
	}
	object.keys(audit.members) - object.keys(audit.roles) == set()
}

test_every_class_that_is_named_exists if {
	audit.retention.otherwise in object.keys(audit.retention.classes)
	every rule in audit.retention.rules {
		rule.class in object.keys(audit.retention.classes)
	}
}

test_nobody_unknown_has_a_role if {
	not audit.peer_kinds.anonymous
}
