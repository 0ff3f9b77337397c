# What must hold for data.json, whatever a security team writes into it.
package assay.lease.data_test

import data.assay.lease.transition
import data.lease

test_no_lease_is_longer_than_its_tokens_may_live if {
	lease.max_ttl >= 1
	lease.max_ttl <= transition.token_life
}

test_whoever_knows_a_lease_can_free_it if "lease.free" in lease.actions.anyone

test_the_kernel_itself_can_end_what_is_due if {
	{"kind": "embedded"} in lease.operators
	"lease.expire" in lease.actions.operator
	"lease.torn-down" in lease.actions.operator
}

test_nobody_unknown_is_an_operator if {
	every peer in lease.operators {
		peer.kind != "anonymous"
	}
}
