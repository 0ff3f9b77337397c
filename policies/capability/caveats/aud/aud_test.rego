package assay.capability.aud_test

import data.assay.capability.given_test as given

test_it_is_the_cell_that_asks if {
	given.permits("aud", "cell-a", {})
	given.denies("aud", "cell-b", {})
	given.denies("aud", "cell-b", {"at": "cell-b", "aud": "cell-b"})
}

test_it_is_a_name if {
	given.malformed("aud", ["", 1, null, ["cell-a"]])
}
