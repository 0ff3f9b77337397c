package assay.announce.sweep_test

import data.assay.announce.given_test as given

line(id, until) := {"id": id, "kind": "token", "mortal": true, "until": until}

endless := {"id": "acme", "kind": "tenant", "mortal": false, "until": 0}

sweeps(chunks) := given.asks(given.embedded, "announce.sweep", {"journal": {"chunks": chunks}})

old := line("t1", given.now - 1)

young := line("t2", given.now)

test_what_has_come_to_its_end_goes if {
	decision := given.decide(sweeps([{"chunk": 2, "full": true, "lines": [old, young, endless]}]))
	decision.effects == [{
		"chunks": [{"chunk": 2, "done": false, "due": [{"id": "t1", "kind": "token"}]}],
		"kind": "announce.sweep",
	}]
	decision.output == {"more": false, "swept": 1}
}

test_a_full_chunk_in_which_nothing_ends_any_more_is_done if {
	decision := given.decide(sweeps([{"chunk": 2, "full": true, "lines": [old, endless]}]))
	decision.effects[0].chunks[0].done
	decision.output == {"more": true, "swept": 1}
	given.allowed(sweeps([{"chunk": 2, "full": true, "lines": [endless]}]), {"peer_allowed"})
	given.allowed(sweeps([{"chunk": 2, "full": true, "lines": []}]), {"peer_allowed"})
}

test_nothing_to_sweep_is_told if {
	given.refused(sweeps([]), "nothing_to_sweep")
	given.refused(sweeps([{"chunk": 2, "full": false, "lines": [young, endless]}]), "nothing_to_sweep")
}
