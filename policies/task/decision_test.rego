package assay.task_test

import data.assay.task.given_test as given

test_a_malformed_payload_is_refused if {
	every action in ["task.accept", "task.ingest", "task.report", "task.sign", "task.trust"] {
		malformed := {"payload": {"check": "malformed", "problem": "/: expected an object"}}
		given.refused(given.asks(action, malformed), "malformed_request")
	}
}

test_an_action_that_nobody_listed_is_refused if {
	decision := given.decide(given.asks("task.other", {}))
	not decision.allow
}

reports(members) := given.asks("task.report", {
	"claimed": given.replace_members(given.claimed, {"outcome": "done", "task_id": "t1"}),
	"sent": given.replace_members({"known": true, "node_id": "edge-1"}, members),
})

test_the_report_of_a_task_ends_it if {
	given.allowed(reports({}), "closed") == [{"kind": "task.close", "task_id": "t1"}]
	given.refused(reports({"known": false, "node_id": ""}), "task_unknown")
	given.refused(reports({"node_id": "edge-2"}), "task_unknown")
}

trusts(trusted, root) := given.asks("task.trust", {
	"claimed": given.replace_members(given.claimed, {"root": "r", "trusted": trusted}),
	"root": object.union({"check": "valid", "count": 1, "trusted": false}, root),
})

test_roots_come_and_go_and_one_stays if {
	given.allowed(trusts(true, {}), "trust_changed") == [{"kind": "task.trust", "root": "r", "trusted": true}]
	given.allowed(trusts(true, {"count": 2, "trusted": true}), "trust_changed")
	given.refused(trusts(true, {"count": 2}), "root_count")
	given.allowed(trusts(false, {"count": 2, "trusted": true}), "trust_changed")
	given.refused(trusts(false, {"trusted": true}), "root_count")
	given.refused(trusts(true, {"check": "weak_key"}), "weak_key")
}
