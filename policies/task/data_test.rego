# What must hold for data.json, whatever a security team writes into it.
package assay.task.data_test

import data.task

test_no_task_is_signed_that_nodes_would_refuse if {
	task.max_ttl <= 3600
	task.default_ttl <= task.max_ttl
	task.max_clock_ahead <= 300
}

test_nobody_unknown_sends_anything if {
	every entry in array.concat(task.may, task.senders) {
		entry.kind != "anonymous"
	}
}

test_at_least_two_roots_fit_so_that_one_can_follow_another if {
	task.max_roots >= 2
	task.max_roots <= 4
}
