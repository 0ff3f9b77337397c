package assay.bootstrap.enrol_test

import data.assay.bootstrap.given_test as given

issues(members) := given.asks("bootstrap.issue", members)

test_a_token_is_issued_once_and_for_a_while if {
	given.allowed(issues({}), "token_issued") == [{
		"kind": "bootstrap.issue",
		"node_id": "edge-1",
		"token_hash": "h",
		"ttl": 100,
	}]
	given.allowed(issues({"claimed": {"ttl": 1000}}), "token_issued")[0].ttl == 1000
	given.refused(issues({"claimed": {"ttl": 1001}}), "ttl_exceeds_max")
	given.refused(issues({"token": given.token}), "token_exists")
}

test_a_token_gives_the_bundle_away_once if {
	given.allowed(given.fetches({}), "enrolled") == [{
		"control_plane": "https://control.example",
		"key_version": 1,
		"kid": "0011223344556677",
		"kind": "bootstrap.enrol",
		"node_id": "edge-1",
		"root": "x",
		"token_hash": "h",
	}]
}

with_token(members) := given.fetches({"token": object.union(given.token, members)})

test_a_token_that_does_not_hold if {
	given.refused(given.asks("bootstrap.fetch", {}), "token_unknown")
	given.refused(with_token({"node_id": "edge-2"}), "token_mismatch")
	given.refused(with_token({"used": true}), "token_used")
	given.refused(with_token({"expires_at": given.now}), "token_expired")
}

test_there_is_something_to_give if {
	given.refused(given.fetches({"trust": {"complete": false}}), "trust_incomplete")
}
