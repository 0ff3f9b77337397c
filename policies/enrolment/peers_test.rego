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

by_earlier(keys) := object.union(asked, {"facts": object.union(
	object.remove(asked.facts, ["owner"]),
	given.owner("cell", "cell-a", keys),
)}) if {
	asked := moves(given.nobody, object.union(given.called_by("cell-a"), {"key_state": "grace"}))
}

test_an_earlier_key_has_no_say_beside_an_active_one if {
	given.refused(
		by_earlier([given.has(given.second, "grace"), given.has(given.first, "active")]),
		"peer_not_permitted",
	)
	given.allowed(by_earlier([given.has(given.first, "grace")]), "transitioned")
}

test_a_cell_puts_its_own_keys_out_of_use if {
	given.allowed(moves(given.nobody, given.called_by("cell-a")), "transitioned")
	given.refused(moves(given.nobody, given.called_by("cell-b")), "peer_not_permitted")
	given.refused(moves(given.nobody, given.uncalled), "peer_not_permitted")
}
