package assay.capability.daily_window_test

import data.assay.capability.given_test as given

# 1,800,000,000 is 2027-01-15T08:00:00Z, a Friday.
test_it_is_between_two_times_of_day if {
	given.permits("daily_window", {"from": 480, "until": 481}, {})
	given.denies("daily_window", {"from": 481, "until": 1440}, {})
	given.denies("daily_window", {"from": 0, "until": 480}, {})
	given.denies("daily_window", {"from": 1200, "until": 600}, {})
}

test_it_is_on_some_days_of_the_week if {
	given.permits("daily_window", {"days": [1, 5], "from": 0, "until": 1440}, {})
	given.denies("daily_window", {"days": [1, 2, 3, 4, 6, 7], "from": 0, "until": 1440}, {})
}

test_the_epoch_began_on_a_thursday if {
	every day in [[0, 4], [86399, 4], [86400, 5], [3 * 86400, 7], [4 * 86400, 1]] {
		day[1] == data.assay.capability.caveats.daily_window_today with input as {"now": day[0]}
	}
}

test_times_are_minutes if {
	given.malformed("daily_window", [
		{"from": -1, "until": 1},
		{"from": 0, "until": 1441},
		{"from": 1440, "until": 1440},
		{"from": "08:00", "until": "09:00"},
		{"days": [], "from": 0, "until": 1},
		{"days": [0], "from": 0, "until": 1},
		{"days": [8], "from": 0, "until": 1},
		{"days": 1, "from": 0, "until": 1},
		{"from": 0},
	])
}
