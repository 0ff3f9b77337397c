# What must hold for data.json, whatever a security team writes into it.
package assay.enrolment.data_test

import data.enrolment

test_nobody_unknown_may_do_more_than_ask_for_a_proof if {
	every action in enrolment.may.anyone {
		action == "enrolment.prove"
	}
	every entry in enrolment.may.peers {
		entry.kind != "anonymous"
	}
}

test_who_vouches_is_the_process_or_an_operator if {
	every kind in enrolment.vouching {
		kind in {"embedded", "operator"}
	}
}
