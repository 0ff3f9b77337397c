package assay.main_test

import data.assay.main

test_nothing_is_frozen_by_default if {
	count(main.deny) == 0 with input as {"request": {"action": "access.assign"}}
}

test_a_frozen_action_is_refused if {
	codes := {reason.code | some reason in main.deny} with input as {"request": {"action": "access.assign"}}
		with data.freeze.actions as ["access.assign"]
	codes == {"frozen"}
}

test_only_the_frozen_action_is_refused if {
	count(main.deny) == 0 with input as {"request": {"action": "access.evaluate"}}
		with data.freeze.actions as ["access.assign"]
}

test_a_star_freezes_everything if {
	count(main.deny) == 1 with input as {"request": {"action": "access.evaluate"}}
		with data.freeze.actions as ["*"]
}

at_noon(confirmed) := {"now": 1790000000, "request": {"action": "access.evaluate", "policy": {"confirmed": confirmed}}}

test_a_policy_is_never_stale_by_default if {
	count(main.deny) == 0 with input as at_noon(0)
}

test_a_policy_that_was_not_confirmed_for_too_long_denies if {
	codes := {reason.code | some reason in main.deny} with input as at_noon(1789996399)
		with data.freeze.unconfirmed_after_seconds as 3600
	codes == {"policy_stale"}
}

test_a_policy_that_was_never_confirmed_denies if {
	count(main.deny) == 1 with input as at_noon(0) with data.freeze.unconfirmed_after_seconds as 3600
}

test_a_policy_that_was_confirmed_in_time_decides if {
	count(main.deny) == 0 with input as at_noon(1789996400) with data.freeze.unconfirmed_after_seconds as 3600
}

test_a_bound_that_is_no_number_denies if {
	count(main.deny) == 1 with input as at_noon(1790000000) with data.freeze.unconfirmed_after_seconds as "1h"
}

test_policies_of_a_folder_are_not_confirmed_by_anybody if {
	count(main.deny) == 0 with input as {"now": 1790000000, "request": {"action": "access.evaluate"}}
		with data.freeze.unconfirmed_after_seconds as 1
}
