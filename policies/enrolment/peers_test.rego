package assay.enrolment.peers_test

import data.assay.enrolment.given_test as given

test_peers_are_named_by_kind_or_by_name if {
	given.allowed(given.binds(given.operator, []), "enrolled")
	given.allowed(given.binds(given.scheduler, []), "enrolled")
	other := object.union(given.scheduler, {"id": "other"})
	given.refused(given.binds(other, []), "peer_not_permitted")
	given.refused(given.binds(given.nobody, []), "peer_not_permitted")
}

test_a_named_peer_may_do_what_it_is_named_for if {
	tenant := [given.owner("tenant", "acme", [])]
	asked := given.asks(given.scheduler, "enrolment.register-tenant", tenant)
	given.refused(asked, "peer_not_permitted")
}

test_only_some_kinds_vouch if {
	given.allowed(given.binds(given.embedded, [{"proof": given.absent}]), "enrolled")
	given.refused(given.binds(given.operator, [{"proof": given.absent}]), "proof_missing")
	given.refused(given.binds(given.scheduler, [{"proof": given.absent}]), "proof_missing")
}

moves(peer, caller) := given.asks(peer, "enrolment.transition-key", [
	given.registered("cell", "cell-a", "active"),
	given.payload({"state": "revoked"}),
	{"caller": caller},
])

test_a_cell_puts_its_own_keys_out_of_use if {
	given.allowed(moves(given.nobody, given.called_by("cell-a")), "transitioned")
	given.refused(moves(given.nobody, given.called_by("cell-b")), "peer_not_permitted")
	given.refused(moves(given.nobody, given.uncalled), "peer_not_permitted")
}
