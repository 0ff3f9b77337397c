package assay.bootstrap.publish_test

import data.assay.bootstrap.given_test as given

publishes(change) := given.asks("bootstrap.publish", {"change": change})

test_a_document_in_order_is_published if {
	given.allowed(publishes({}), "published") == [{
		"anchors": given.facts.claimed.anchors,
		"key_version": 1,
		"kid": "0011223344556677",
		"kind": "bootstrap.publish",
		"trust": "https",
		"version": 3,
	}]
}

test_steps_that_are_left_out if {
	given.refused(publishes({"shared": ["ca-1"]}), "anchor_in_other_trust")
	given.refused(publishes({"altered": ["ca-1"]}), "anchor_altered")
	given.refused(publishes({"early": ["ca-2"]}), "anchor_not_announced")
	given.refused(publishes({"dropped_current": ["ca-0"]}), "anchor_in_use")
	given.refused(publishes({"current": []}), "no_current_anchor")
}

promotes(members) := given.asks("bootstrap.publish", object.union(
	{"change": {"promoted": ["ca-1"]}, "trust": {"lagging": ["edge-2"]}},
	members,
))

test_an_anchor_is_used_once_every_node_has_it if {
	given.refused(promotes({}), "nodes_lag")
	given.allowed(promotes({"trust": {"lagging": []}}), "published")
}

test_somebody_who_may_says_why_nodes_are_not_waited_for if {
	urgent := promotes({"claimed": {"reason": "the old CA is lost"}})
	given.allowed(urgent, "published_early")
	given.refused(given.from(given.ca, urgent), "nodes_lag")
}

acknowledges(version) := given.asks("bootstrap.acknowledge", {"claimed": {"version": version}})

test_a_node_says_what_it_has if {
	given.allowed(acknowledges(2), "acknowledged") == [{
		"kind": "bootstrap.acknowledge",
		"node_id": "edge-1",
		"trust": "https",
		"version": 2,
	}]
	given.refused(acknowledges(3), "acknowledgement_impossible")
	given.refused(acknowledges(0), "acknowledgement_impossible")
	unknown := given.asks("bootstrap.acknowledge", {"claimed": {"version": 1}, "node": {"known": false}})
	given.refused(unknown, "acknowledgement_impossible")
}
