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
