package assay.capability.only_from_partition_test

import data.assay.capability.given_test as given

test_it_is_the_operation_s_partition if {
	given.permits("only_from_partition", "blue", {"partition": "blue"})
	given.denies("only_from_partition", "blue", {"partition": "green"})
}

test_what_is_not_known_is_not_permitted if {
	given.denies("only_from_partition", "blue", {})
}

test_it_is_a_name if {
	given.malformed("only_from_partition", ["", 1, null, ["blue"]])
}
