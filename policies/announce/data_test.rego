# What must hold for data.json, whatever a security team writes into it.
package assay.announce.data_test

import data.announce

test_nobody_unknown_revokes_or_publishes if {
	some_peers := {action |
		some rule in announce.permits
		rule.peer.kind in {"*", "anonymous"}
		some action in rule.actions
	}
	some_peers & {"announce.learn", "announce.publish", "announce.revoke", "announce.sweep"} == set()
}

test_a_cell_does_not_delegate if {
	every type in announce.cell_signs {
		type in {"ANNOUNCE", "REVOCATIONS", "REVOKE_BROADCAST", "WITHDRAW"}
	}
}

test_every_role_may_revoke_something_or_nothing if {
	object.keys(announce.may_revoke) == {"cell", "controller", "delegate"}
}
