package assay.signer.decision_test

import data.assay.signer.given_test as given

test_what_cannot_be_read_is_refused_first if {
	malformed := {"payload": object.union(given.payload, {"check": "malformed", "problem": "/name: expected a value"})}
	given.refused(given.asks(given.nobody, "create", [malformed]), "malformed_request")
}

test_a_weak_key_is_nobody_s if {
	weak := {"made": {"check": "weak_key", "kid": "00", "known": false, "public_key": "A"}}
	given.refused(given.asks(given.outbox, "created", [weak, given.says({"version": 1})]), "weak_key")
}
