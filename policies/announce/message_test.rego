package assay.announce.message_test

import data.assay.announce.given_test as given

by_controller(what) := given.receives(given.controller, what)

test_an_announcement_is_kept_and_withdrawn if {
	given.decide(by_controller(given.announcement)).effects == [
		{"key": given.key, "kind": "announce.accept", "sequence": 5, "time": given.now},
		object.union(given.offer, {"kind": "announce.offer", "signer": given.key}),
	]
	given.decide(by_controller(given.withdrawal)).effects[1] == {
		"cell": "cell-b",
		"kind": "announce.withdraw",
		"service": "gpu",
	}
}

test_an_announcement_ends if {
	over := object.union(given.announcement, {"until": given.now})
	given.refused(by_controller(over), "announcement_over")
}

at(seconds) := by_controller(object.union(given.announcement, {"time": given.now + seconds}))

test_time_counts if {
	given.allowed(at(30), {"signed_message"})
	given.refused(at(31), "not_yet_valid")
	given.allowed(at(-300), {"signed_message"})
	given.refused(at(-301), "too_old")
}

numbered(seq) := by_controller(object.union(given.announcement, {"seq": seq}))

test_numbers_rise if {
	given.refused(numbered(4), "replayed")
	given.refused(numbered(3), "replayed")
	given.allowed(numbered(1000), {"signed_message"})
}

test_each_action_takes_its_types if {
	given.refused(given.learns(given.controller, given.announcement), "wrong_type")
	given.refused(by_controller(given.page({})), "wrong_type")
}

by_cell(what) := given.receives(given.cell_b, what)

effect_of(kind, given_input) := effect if {
	some effect in given.decide(given_input).effects
	effect.kind == kind
}

learned(given_input) := effect_of("announce.learn", given_input)

followed(given_input) := effect_of("announce.follow", given_input)

reaching(members) := object.union(given.entry(members), {"reach": "cell-b"})

test_a_broadcast_that_follows_what_is_known_is_complete if {
	learned(by_cell(given.broadcast([given.entry({})]))) == {
		"cell": "cell-b",
		"entries": [reaching({})],
		"kind": "announce.learn",
		"sequence": 5,
	}
	followed(by_cell(given.broadcast([given.entry({})]))) == {
		"after": 7,
		"as_of": given.now,
		"cell": "cell-b",
		"complete": true,
		"kind": "announce.follow",
		"sequence": 5,
		"signer": given.key,
	}
}

test_a_gap_is_told_and_its_entries_count if {
	gapped := by_cell(object.union(given.broadcast([given.entry({})]), {"after": 8}))
	decision := given.decide(gapped)
	decision.output == {"cell": "cell-b", "gap": true, "more": false, "through": 5}
	decision.effects[3] == {"cell": "cell-b", "kind": "announce.fetch"}
	not followed(gapped).complete
	count(learned(gapped).entries) == 1
}

test_a_page_says_the_same_however_often_it_comes if {
	given.kinds(given.learns(given.cell_b, given.page({"seq": 1}))) == ["announce.learn", "announce.follow"]
}

test_the_last_page_completes_what_is_known if {
	last := given.learns(given.cell_b, given.page({}))
	followed(last).complete
	followed(last).sequence == 9
	first := given.learns(given.cell_b, given.page({"more": true}))
	not followed(first).complete
	given.decide(first).output == {"cell": "cell-b", "gap": false, "more": true, "through": 9}
	later := given.learns(given.cell_b, given.page({"after": 8}))
	not followed(later).complete
}

test_nobody_but_the_cell_says_how_far_its_revocations_go if {
	delegate := given.signer({"delegation": given.delegation({"types": ["REVOCATIONS", "REVOKE_BROADCAST"]})})
	every who in [given.controller, delegate] {
		given.kinds(given.learns(who, given.page({"after": 8}))) == ["announce.learn"]
		missing := object.union(given.broadcast([]), {"after": 8})
		given.kinds(given.receives(who, missing)) == ["announce.accept", "announce.learn"]
		not given.decide(given.receives(who, missing)).output.gap
	}
}

may_all := object.union(given.policy_data, {"may_revoke": {
	"cell": ["key", "lease", "tenant", "token"],
	"controller": ["key", "lease", "tenant", "token"],
	"delegate": ["key", "lease", "tenant", "token"],
}})

reach_of(who, kind) := entry.reach if {
	said := given.receives(who, given.broadcast([given.entry({"kind": kind})]))
	decision := data.assay.announce.decision with input as said
		with data.announce as may_all
		with data.freeze as {"actions": []}
	some effect in decision.effects
	some entry in effect.entries
}

test_a_stolen_key_kills_tokens_of_its_scope_alone if {
	some_cells := given.signer({"delegation": given.delegation({"cells": ["cell-b"], "every_cell": false})})
	every_cell := given.signer({"delegation": given.delegation({})})
	every kind in ["key", "lease", "tenant", "token"] {
		reach_of(given.cell_b, kind) == "cell-b"
		reach_of(some_cells, kind) == "cell-b"
	}
	every who in [given.controller, every_cell] {
		every kind in ["key", "tenant"] {
			reach_of(who, kind) == "*"
		}
		every kind in ["lease", "token"] {
			reach_of(who, kind) == "cell-b"
		}
	}
}

test_what_is_over_is_not_kept if {
	old := given.entry({"until": given.now - 1})
	learned(by_controller(given.broadcast([old, given.entry({"id": "t2"})]))).entries == [reaching({"id": "t2"})]
}

test_a_revocation_ends_with_its_tokens if {
	given.refused(by_controller(given.broadcast([given.entry({"until": given.now + 331})])), "until_out_of_range")
	endless := object.remove(given.entry({}), ["until"])
	given.refused(by_controller(given.broadcast([endless])), "until_out_of_range")
	given.allowed(by_controller(given.broadcast([object.union(endless, {"kind": "tenant"})])), {"signed_message"})
}

test_not_everybody_revokes_everything if {
	delegate := given.signer({"delegation": given.delegation({})})
	given.allowed(given.receives(delegate, given.broadcast([given.entry({})])), {"signed_message"})
	given.refused(
		given.receives(delegate, given.broadcast([given.entry({}), given.entry({"kind": "lease"})])),
		"revocation_not_allowed",
	)
}

test_nobody_tells_a_cell_what_it_revoked_itself if {
	mirrored := {"cell": given.local_cell, "message": given.broadcast([given.entry({})])}
	by_itself := object.union(mirrored, {"signer": given.cell_b})
	given.refused(given.asks(given.nobody, "announce.receive", by_itself), "own_feed")
	by_controller_here := object.union(mirrored, {"signer": given.controller})
	given.allowed(given.asks(given.nobody, "announce.receive", by_controller_here), {"signed_message"})
}

span := {"expires": given.now + 60, "key": "k", "not_before": given.now, "types": ["ANNOUNCE"]}

subject := {"check": "valid", "delegation": given.no_delegation, "scope": ""}

delegates(members, about) := given.asks(given.nobody, "announce.receive", {
	"message": given.message("DELEGATE", object.union(span, members)),
	"signer": given.controller,
	"subject": object.union(subject, about),
})

test_the_controller_delegates_and_takes_it_back if {
	given.decide(delegates({}, {})).effects[1] == object.union(span, {"by": given.key, "kind": "announce.delegate"})
	given.decide(delegates({"cells": ["cell-b"]}, {})).effects[1].cells == ["cell-b"]
	given.allowed(delegates({}, {"scope": "cell"}), {"signed_message"})
	given.decide(by_controller(given.message("UNDELEGATE", {"key": "k"}))).effects[1] == {
		"key": "k",
		"kind": "announce.undelegate",
	}
}

undelegates(seq, delegation) := given.asks(given.nobody, "announce.receive", {
	"message": object.union(given.message("UNDELEGATE", {"key": "k"}), {"seq": seq, "time": given.now - 9}),
	"signer": given.controller,
	"subject": object.union(subject, {"delegation": delegation}),
})

test_a_delegation_is_taken_back_in_any_order if {
	decision := given.decide(undelegates(2, given.delegation({})))
	decision.effects[0] == {"key": given.key, "kind": "announce.accept", "sequence": 4, "time": given.now - 5}
	decision.effects[1].kind == "announce.undelegate"
	given.refused(undelegates(2, given.delegation({"revoked": true})), "replayed")
}

test_not_every_key_can_be_a_delegate if {
	given.refused(delegates({}, {"check": "weak_key"}), "delegate_weak_key")
	given.refused(delegates({}, {"scope": "release"}), "delegate_scope")
	given.refused(delegates({}, {"delegation": given.delegation({"revoked": true})}), "delegation_withdrawn")
}

test_a_delegation_has_an_end_that_is_not_too_far if {
	given.refused(delegates({"expires": given.now}, {}), "delegation_window")
	given.refused(delegates({"expires": given.now + 1001}, {}), "delegation_window")
}
