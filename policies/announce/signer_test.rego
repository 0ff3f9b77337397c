package assay.announce.signer_test

import data.assay.announce
import data.assay.announce.given_test as given

delegate(members) := given.signer({"delegation": given.delegation(members)})

cell(members) := object.union(given.cell_b, {"cell": members})

test_the_controller_says_everything if {
	every state in ["active", "grace"] {
		given.allowed(given.receives(given.signer({"controller": state}), given.announcement), {"signed_message"})
	}
}

test_a_controller_out_of_force_says_nothing if {
	every state in ["retired", "revoked", "pre-active"] {
		given.refused(given.receives(given.signer({"controller": state}), given.announcement), "signer_revoked")
	}
}

# Other cells can revoke keys: nobody silences the controller that way.
test_only_its_pin_puts_the_controller_out_of_force if {
	silenced := given.signer({"controller": "active", "key_revoked": true})
	given.allowed(given.receives(silenced, given.announcement), {"signed_message"})
}

test_a_delegate_says_what_it_was_given if {
	given.allowed(given.receives(delegate({}), given.announcement), {"signed_message"})
	given.allowed(given.receives(delegate({"every_cell": false, "cells": ["cell-b"]}), given.announcement), {"signed_message"})
}

test_a_delegation_ends if {
	given.refused(given.receives(delegate({"revoked": true}), given.announcement), "delegation_revoked")
	given.refused(given.receives(delegate({"not_before": given.now + 1}), given.announcement), "delegation_not_yet_valid")
	given.refused(given.receives(delegate({"expires": given.now}), given.announcement), "delegation_expired")
	given.allowed(given.receives(delegate({"expires": given.now + 1}), given.announcement), {"signed_message"})
	revoked := object.union(delegate({}), {"key_revoked": true})
	given.refused(given.receives(revoked, given.announcement), "signer_revoked")
}

test_a_delegation_ends_with_the_key_that_signed_it if {
	every state in ["active", "grace", "retired"] {
		given.allowed(given.receives(delegate({"by": state}), given.announcement), {"signed_message"})
	}
	every state in ["none", "revoked"] {
		given.refused(given.receives(delegate({"by": state}), given.announcement), "delegator_revoked")
	}
}

test_a_key_of_another_scope_is_no_delegate_and_no_controller if {
	every scope in ["controller", "release", "tenant"] {
		who := object.union(delegate({}), {"scope": scope})
		given.refused(given.receives(who, given.announcement), "delegate_scope")
	}
	elsewhere := object.union(given.controller, {"scope": "tenant"})
	not given.decide(given.receives(elsewhere, given.announcement)).allow
}

test_a_delegation_is_for_types_and_cells if {
	given.refused(given.receives(delegate({"types": ["WITHDRAW"]}), given.announcement), "delegation_type")
	given.refused(
		given.receives(delegate({"every_cell": false, "cells": ["cell-c"]}), given.announcement),
		"delegation_cell",
	)
}

test_nobody_but_the_controller_delegates if {
	undelegation := given.message("UNDELEGATE", {"key": "k"})
	every who in [delegate({"types": ["DELEGATE", "UNDELEGATE"]}), cell({})] {
		given.refused(given.receives(who, undelegation), "controller_only")
	}
	gone := object.union(delegate({"types": ["DELEGATE", "UNDELEGATE"]}), {"controller": "revoked"})
	given.refused(given.receives(gone, undelegation), "signer_revoked")
}

test_a_cell_speaks_of_itself if {
	given.allowed(given.receives(cell({}), given.broadcast([given.entry({})])), {"signed_message"})
	given.allowed(given.receives(cell({"state": "grace"}), given.broadcast([])), {"signed_message"})
	given.refused(given.receives(cell({"name": "cell-c"}), given.broadcast([])), "not_of_its_cell")
	given.refused(given.receives(cell({}), given.announcement), "not_of_its_cell")
	given.refused(given.receives(cell({"state": "retired"}), given.broadcast([])), "signer_revoked")
	silent := object.union(cell({}), {"key_revoked": true})
	given.refused(given.receives(silent, given.broadcast([])), "signer_revoked")
}

test_a_cell_may_have_a_delegation_too if {
	both := object.union(cell({}), {"delegation": given.delegation({"expires": given.now})})
	given.allowed(given.receives(both, given.broadcast([])), {"signed_message"})
	given.refused(given.receives(both, given.announcement), "delegation_expired")
}

first := given.signer({"first_use": true})

test_nobody_is_believed_at_first_use_unless_the_data_says_so if {
	given.refused(given.receives(first, given.announcement), "signer_unknown")
	delegating := given.message("UNDELEGATE", {"key": "k"})
	given.refused(given.receives(first, delegating), "signer_unknown")
}

trusts(what) := decision if {
	decision := announce.decision with input as given.receives(first, what)
		with data.announce as given.trusting
		with data.freeze as {"actions": []}
}

test_the_first_announcement_pins_the_controller_where_the_data_says_so if {
	decision := trusts(given.announcement)
	{reason.code | some reason in decision.reasons} == {"first_use", "signed_message"}
	decision.effects[0] == {"key": given.key, "kind": "announce.pin"}
	not trusts(given.withdrawal).allow
	enrolled := given.receives(object.union(first, {"scope": "cell"}), given.announcement)
	refused := announce.decision with input as enrolled
		with data.announce as given.trusting
		with data.freeze as {"actions": []}
	not refused.allow
}
