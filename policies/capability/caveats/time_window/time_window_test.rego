package assay.capability.time_window_test

import data.assay.capability.given_test as given

test_it_is_between_two_instants if {
	given.permits("time_window", {"from": given.now, "until": given.now + 1}, {})
	given.denies("time_window", {"from": given.now + 1, "until": given.now + 2}, {})
	given.denies("time_window", {"from": given.now - 1, "until": given.now}, {})
	given.denies("time_window", {"from": given.now + 1, "until": given.now - 1}, {})
}

test_both_are_given if {
	given.malformed("time_window", [{"from": 0}, {"until": 0}, {"from": 0, "until": 1, "zone": "UTC"}, {"from": "0", "until": 1}, 0, [0, 1]])
}
