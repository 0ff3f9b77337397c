package assay.signer.peers_test

import data.assay.signer.given_test as given

test_peers_are_named_with_scopes_and_actions if {
	given.allowed(given.asks(given.deployer, "create", []), "creation_begun")
	elsewhere := [given.says({"scope": "bootstrap"})]
	given.refused(given.asks(given.deployer, "create", elsewhere), "peer_not_permitted")
	given.refused(given.asks(given.deployer, "rotate", []), "peer_not_permitted")
	given.refused(given.asks(given.nobody, "create", []), "peer_not_permitted")
	other := object.union(given.deployer, {"id": "other"})
	given.refused(given.asks(other, "create", []), "peer_not_permitted")
}

test_outcomes_come_from_the_outbox_alone if {
	given.refused(given.asks(given.deployer, "created", []), "peer_not_permitted")
	given.refused(given.asks({"id": "process", "kind": "embedded"}, "moved", []), "peer_not_permitted")
}
