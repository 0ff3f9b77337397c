package assay.capability.parent_workload_test

import data.assay.capability.given_test as given

test_it_is_this_one if {
	given.permits("parent_workload", "a", {"parent_workload": "a"})
	given.denies("parent_workload", "a", {"parent_workload": "b"})
	given.denies("parent_workload", "a", {"parent_workload": ["a"]})
}

test_it_is_a_name if {
	given.malformed("parent_workload", ["", 1, null, ["a"], {"a": true}])
}

test_what_is_not_known_is_not_permitted if {
	given.denies("parent_workload", "a", {})
}
