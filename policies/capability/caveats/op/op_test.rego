package assay.capability.op_test

import data.assay.capability.given_test as given

test_one_of_the_names_it_is if {
	given.permits("op", ["a", "b"], {"op": "b"})
	given.denies("op", ["a", "b"], {"op": "c"})
	given.denies("op", ["a"], {"op": ["a"]})
	given.denies("op", [], {"op": "a"})
}

test_it_is_a_list_of_names if {
	given.malformed("op", ["a", 1, null, [1], [""], {"a": true}])
}
