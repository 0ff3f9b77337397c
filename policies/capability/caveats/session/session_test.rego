package assay.capability.session_test

import data.assay.capability.given_test as given

test_it_is_this_one if {
	given.permits("session", "a", {"session": "a"})
	given.denies("session", "a", {"session": "b"})
	given.denies("session", "a", {"session": ["a"]})
}

test_it_is_a_name if {
	given.malformed("session", ["", 1, null, ["a"], {"a": true}])
}

test_what_is_not_known_is_not_permitted if {
	given.denies("session", "a", {})
}
