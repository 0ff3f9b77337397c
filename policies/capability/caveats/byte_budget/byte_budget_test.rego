package assay.capability.byte_budget_test

import data.assay.capability.given_test as given

spent(value, amount, since, operation) := object.union(
	given.with_caveat("byte_budget", value, operation),
	{"facts": {"state": {"counters": {"byte_budget": [{"amount": amount, "key": key, "since": since}]}}}},
)

key := sprintf("%s/0", [given.handle])

costs(request, amount, since) if {
	decision := given.decide(request)
	decision.allow
	decision.effects == [{
		"amount": amount,
		"counter": key,
		"kind": "capability.spend",
		"since": since,
		"until": given.now + 200,
	}]
}

test_all_operations_together_stay_within_it if {
	costs(spent({"bytes": 10}, 0, 0, {"bytes": 4}), 4, given.now)
	costs(spent({"bytes": 10}, 6, 5, {"bytes": 4}), 10, given.now)
	costs(spent({"bytes": 10}, 10, 5, {"bytes": 0}), 10, given.now)
	given.refused(spent({"bytes": 10}, 7, 5, {"bytes": 4}), "caveat_denied")
}

test_a_size_is_whole_and_known if {
	given.denies("byte_budget", {"bytes": 10}, {})
	given.denies("byte_budget", {"bytes": 10}, {"bytes": -4})
	given.denies("byte_budget", {"bytes": 10}, {"bytes": 0.5})
	given.denies("byte_budget", {"bytes": 10}, {"bytes": "1"})
}

test_what_is_not_counted_is_not_permitted if {
	given.refused(given.with_token({"caveats": {"byte_budget": [{"bytes": 10}]}}), "caveat_denied")
}

test_it_is_a_size if {
	given.malformed("byte_budget", [10, {}, {"bytes": -1}, {"bytes": "10"}, {"bytes": 10, "per": "day"}])
}
