package assay.capability.program_test

import data.assay.capability.given_test as given

digest(letter) := sprintf("sha256:%s", [concat("", [letter | some _ in numbers.range(1, 64)])])

test_it_is_this_program if {
	given.permits("program", digest("a"), {"program": digest("a")})
	given.denies("program", digest("a"), {"program": digest("b")})
}

test_what_is_not_known_is_not_permitted if {
	given.denies("program", digest("a"), {})
}

test_it_is_a_digest if {
	given.malformed("program", ["", digest("A"), digest("g"), sprintf("%sa", [digest("a")]), substring(digest("a"), 0, 70), trim_prefix(digest("a"), "sha256:"), 1])
}
