package assay.capability.max_bytes_test

import data.assay.capability.given_test as given

test_it_bounds_one_operation if {
	given.permits("max_bytes", 10, {"bytes": 10})
	given.permits("max_bytes", 0, {"bytes": 0})
	given.denies("max_bytes", 10, {"bytes": 11})
}

test_a_size_is_whole_and_known if {
	given.denies("max_bytes", 10, {})
	given.denies("max_bytes", 10, {"bytes": -1})
	given.denies("max_bytes", 10, {"bytes": 0.5})
	given.denies("max_bytes", 10, {"bytes": "1"})
	given.denies("max_bytes", 10, {"bytes": null})
}

test_it_is_a_size if {
	given.malformed("max_bytes", ["1", 1.5, -1, null, [1]])
}
