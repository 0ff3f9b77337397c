package assay.capability.purpose_test

import data.assay.capability.given_test as given

test_one_of_the_names_it_is if {
	given.permits("purpose", ["a", "b"], {"purpose": "b"})
	given.denies("purpose", ["a", "b"], {"purpose": "c"})
	given.denies("purpose", ["a"], {"purpose": ["a"]})
	given.denies("purpose", [], {"purpose": "a"})
}

test_it_is_a_list_of_names if {
	given.malformed("purpose", ["a", 1, null, [1], [""], {"a": true}])
}

test_what_is_not_known_is_not_permitted if {
	given.denies("purpose", ["a"], {})
}
