package assay.task.peers_test

import data.assay.task.given_test as given

test_peers_are_named_by_kind_or_by_name if {
	given.allowed(given.from(given.service("relay"), given.ingests({})), "set_taken")
	given.refused(given.from(given.service("relay"), given.accepts({})), "not_allowed_here")
	given.refused(given.from(given.service("other"), given.ingests({})), "not_allowed_here")
	given.refused(given.from(given.nobody, given.ingests({})), "not_allowed_here")
}

test_a_node_takes_its_own_tasks_and_no_others if {
	given.allowed(given.from(given.node("edge-1"), given.accepts({})), "accepted")
	given.refused(given.from(given.node("edge-2"), given.accepts({})), "not_allowed_here")
	given.refused(given.from(given.node("edge-1"), given.ingests({})), "not_allowed_here")
}
