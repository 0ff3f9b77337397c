package assay.capability.rate_budget_test

import data.assay.capability.given_test as given

spent(value, amount, since, operation) := object.union(
	given.with_caveat("rate_budget", value, operation),
	{"facts": {"state": {"counters": {"rate_budget": [{"amount": amount, "key": key, "since": since}]}}}},
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

test_so_many_uses_fit_into_a_window if {
	costs(spent({"count": 2, "seconds": 10}, 0, 0, {}), 1, given.now)
	costs(spent({"count": 2, "seconds": 10}, 1, given.now - 9, {}), 2, given.now - 9)
	given.refused(spent({"count": 2, "seconds": 10}, 2, given.now - 9, {}), "caveat_denied")
}

test_a_new_window_begins_with_the_first_use_after_the_last_one if {
	costs(spent({"count": 2, "seconds": 10}, 2, given.now - 10, {}), 1, given.now)
}

test_no_window_began_before_the_first_use if {
	costs(spent({"count": 2, "seconds": given.now + 5}, 0, 0, {}), 1, given.now)
}

test_what_is_not_counted_is_not_permitted if {
	given.refused(given.with_token({"caveats": {"rate_budget": [{"count": 2, "seconds": 10}]}}), "caveat_denied")
}

test_it_is_a_number_and_a_window if {
	given.malformed("rate_budget", [10, {"count": 1}, {"seconds": 1}, {"count": 0, "seconds": 1}, {"count": 1, "seconds": 0}, {"count": 1.5, "seconds": 1}])
}
