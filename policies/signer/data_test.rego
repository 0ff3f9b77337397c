# What must hold for data.json, whatever a security team writes into it.
package assay.signer.data_test

import data.signer

test_nobody_unknown_may_do_more_than_read_a_set if {
	every action in signer.may.anyone {
		action == "signer.set"
	}
	every entry in signer.may.peers {
		entry.kind != "anonymous"
	}
}

test_outcomes_are_the_process_s_own_word if {
	every entry in signer.may.peers {
		outcomes := {"signer.created", "signer.delivered", "signer.moved"} & {action | some action in entry.actions}
		outcomes == {action | some action in outcomes; entry.kind == "embedded"}
	}
}

test_who_gets_secrets_is_somebody if {
	every entry in signer.deliver {
		entry.kind != "anonymous"
		count(entry.names) > 0
	}
	signer.delivery_seconds > 0
}

test_a_key_does_not_sign_the_set_that_it_is_in if {
	every scope, each in signer.scopes {
		[each.set.name == "", each.set.root == ""] in [[true, true], [false, false]]
		signed(scope, each.set)
	}
}

signed(_, set) if set.root == ""

signed(scope, _) if scope != "bootstrap"

test_grace_has_an_end if {
	every each in signer.scopes {
		each.grace_for <= each.max_grace
	}
}
