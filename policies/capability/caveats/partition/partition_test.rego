package assay.capability.partition_test

import data.assay.capability.given_test as given

test_one_of_the_names_it_is if {
	given.permits("partition", ["a", "b"], {"partition": "b"})
	given.denies("partition", ["a", "b"], {"partition": "c"})
	given.denies("partition", ["a"], {"partition": ["a"]})
	given.denies("partition", [], {"partition": "a"})
}

test_it_is_a_list_of_names if {
	given.malformed("partition", ["a", 1, null, [1], [""], {"a": true}])
}

test_what_is_not_known_is_not_permitted if {
	given.denies("partition", ["a"], {})
}
