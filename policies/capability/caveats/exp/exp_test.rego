package assay.capability.exp_test

import data.assay.capability.given_test as given

test_it_ends_earlier if {
	given.permits("exp", given.now + 1, {})
	given.denies("exp", given.now, {})
	given.permits("exp", given.now + 100000, {})
}

test_it_is_an_instant if {
	given.malformed("exp", ["1", 1.5, -1, null, [1]])
}
