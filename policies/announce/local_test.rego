package assay.announce.local_test

import data.assay.announce.given_test as given

publishes(cell, role, body) := given.asks(given.operator, "announce.publish", {
	"cell": cell,
	"publish": {"as": role, "body": body, "send": true},
})

delegation := {"key": "k", "type": "UNDELEGATE"}

test_a_message_is_made_with_a_key_of_this_kernel if {
	given.decide(publishes(given.local_cell, "cell", {"type": "WITHDRAW"})).effects == [{
		"body": {"type": "WITHDRAW"},
		"custody": "cell",
		"from": "cell-a",
		"kind": "announce.publish",
		"scope": "cell",
		"send": true,
		"signer": "own",
	}]
	given.refused(publishes(given.unknown_cell, "cell", delegation), "cell_unknown")
	given.refused(publishes(given.foreign_cell, "cell", delegation), "cell_not_local")
}

# The controller's key is asked for whatever the name is that it gives itself.
test_the_controller_needs_its_key if {
	given.allowed(publishes(given.local_cell, "controller", delegation), {"peer_allowed"})
	given.refused(publishes(given.unknown_cell, "controller", delegation), "signer_not_held")
}

test_revocations_have_actions_of_their_own if {
	given.refused(publishes(given.local_cell, "cell", {"type": "REVOKE_BROADCAST"}), "not_publishable")
}

answers(cell, set) := given.asks(given.operator, "announce.revocations", {"cell": cell, "set": set})

set := {"after": 3, "entries": [given.entry({"until": given.now - 1}), given.entry({})], "more": true, "through": 9}

test_a_page_has_what_still_counts if {
	decision := given.decide(answers(given.local_cell, set))
	decision.effects == [{
		"after": 3,
		"cell": "cell-a",
		"custody": "cell",
		"entries": [given.entry({})],
		"kind": "announce.answer",
		"more": true,
		"signer": "own",
		"through": 9,
	}]
	decision.output == {"more": true, "through": 9}
}

test_other_cells_answer_for_themselves if {
	given.refused(answers(given.unknown_cell, set), "cell_unknown")
	given.refused(answers(given.foreign_cell, set), "cell_not_local")
	given.refused(answers(object.union(given.local_cell, {"signer": {"held": false}}), set), "signer_not_held")
}
