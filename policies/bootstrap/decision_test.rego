package assay.bootstrap_test

import data.assay.bootstrap.given_test as given

every_action := ["bootstrap.acknowledge", "bootstrap.fetch", "bootstrap.issue", "bootstrap.publish"]

test_a_malformed_payload_is_refused if {
	every action in every_action {
		given.refused(given.asks(action, {"payload": {"check": "malformed"}}), "malformed_request")
	}
}

test_an_action_that_nobody_listed_is_refused if given.refused(given.asks("bootstrap.other", {}), "not_permitted")

test_who_may if {
	given.refused(given.from(given.nobody, given.asks("bootstrap.issue", {})), "not_allowed_here")
	given.refused(given.from(given.nobody, given.asks("bootstrap.publish", {})), "not_allowed_here")
	given.allowed(given.from(given.ca, given.asks("bootstrap.publish", {})), "published")
	given.refused(given.from(given.ca, given.asks("bootstrap.issue", {})), "not_allowed_here")
	given.allowed(given.from(given.nobody, given.fetches({})), "enrolled")
}

test_a_node_speaks_for_itself if {
	acknowledges := given.asks("bootstrap.acknowledge", {"claimed": {"version": 2}})
	given.allowed(given.from(given.node("edge-1"), acknowledges), "acknowledged")
	given.refused(given.from(given.node("edge-2"), acknowledges), "not_allowed_here")
}

test_what_the_key_may_is_asked_before_custody if {
	every action in ["bootstrap.fetch", "bootstrap.publish"] {
		given.refused(given.asks(action, {"key": {"managed": false}, "token": given.token}), "key_not_managed")
		given.refused(given.asks(action, {"key": {"version": 0}, "token": given.token}), "signing_key_not_active")
		given.refused(given.asks(action, {"key": {"scope": "task"}, "token": given.token}), "purpose_not_allowed")
	}
}
