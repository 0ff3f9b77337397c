package app.rbac_test

import data.app.rbac

test_an_editor_writes if rbac.allow with input as {"user": "alice", "action": "write", "object": "document"}

test_a_reader_does_not if not rbac.allow with input as {"user": "bob", "action": "write", "object": "document"}

test_a_stranger_is_told_so if {
	rbac.reasons == {"eve is not known here"} with input as {"user": "eve", "action": "read", "object": "document"}
}

test_blocked_until_a_time if {
	asked := {"user": "alice", "action": "read", "object": "document"}
	not rbac.allow with input as asked with data.blocks as {"alice": "2026-01-02T00:00:00Z"} with time.now_ns as 1767225600000000000
	rbac.allow with input as asked with data.blocks as {"alice": "2026-01-02T00:00:00Z"} with time.now_ns as 1767398400000000000
}
