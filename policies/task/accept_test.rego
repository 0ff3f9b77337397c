package assay.task.accept_test

import data.assay.task.given_test as given

test_a_task_in_order_is_used_up_and_handed_out if {
	given.allowed(given.accepts({}), "accepted") == [{
		"expires_at": given.now + 600,
		"kind": "task.use",
		"node_id": "edge-1",
		"task_id": "t1",
	}]
	given.decide(given.accepts({})).output == {"task": given.document}
	not given.decide(given.accepts({"used": true})).output
}

test_what_is_wrong_with_the_envelope_comes_first if {
	given.refused(given.accepts({"envelope": {"check": "malformed", "type": ""}}), "malformed")
	given.refused(given.accepts({"signature": {"check": "absent", "each": []}}), "signature_missing")
	other := {"envelope": {"check": "valid", "type": "application/json"}, "task": {"check": "absent", "known": false}}
	given.refused(given.accepts(other), "payload_type_not_allowed")
	given.refused(given.accepts({"task": {"check": "malformed", "known": false}}), "malformed")
}

test_a_task_is_for_one_node if {
	given.refused(given.says({"node_id": "edge-2"}), "audience_mismatch")
}

test_a_task_has_its_time if {
	late := {"expires_at": given.now + 900, "issued_at": given.now + 301}
	given.refused(given.says(late), "not_yet_valid")
	given.allowed(given.says(object.union(late, {"issued_at": given.now + 300})), "accepted")
	given.refused(given.says({"expires_at": given.now}), "task_expired")
	given.allowed(given.says({"expires_at": given.now + 1}), "accepted")
}

test_a_task_lives_for_no_longer_than_an_hour if {
	given.refused(given.says({"expires_at": given.now + 3591}), "ttl_exceeds_max")
	given.allowed(given.says({"expires_at": given.now + 3590}), "accepted")
	given.refused(given.says({"expires_at": given.now + 1, "issued_at": given.now + 1}), "ttl_exceeds_max")
}

test_a_type_that_nobody_knows_is_refused if {
	unknown := {"check": "valid", "document": given.document, "known": false}
	given.refused(given.accepts({"task": unknown}), "task_type_unknown")
}

test_a_task_is_taken_once if given.refused(given.accepts({"used": true}), "replayed")
