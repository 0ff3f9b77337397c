package assay.capability.caveats_test

import data.assay.capability.caveats
import data.assay.capability.given_test as given

many(types) := given.asks("capability.use", {
	"claimed": {"at": "cell-a", "operation": {"bytes": 5, "op": "submit", "resource": "gpu-0"}},
	"token": object.union(given.token, {"caveats": types}),
})

test_every_caveat_of_every_block_holds if {
	given.allowed(many({"max_bytes": [10, 5], "op": [["submit", "read"], ["submit"]]}))
	given.refused(many({"max_bytes": [10, 4], "op": [["submit"]]}), "caveat_denied")
	given.refused(many({"max_bytes": [10], "op": [["submit"], ["read"]]}), "caveat_denied")
}

test_the_reason_names_the_type if {
	decision := given.decide(many({"max_bytes": [4], "op": [["read"]]}))
	[reason.message | some reason in decision.reasons] == ["a caveat max_bytes does not hold"]
}

test_a_size_is_whole if {
	every number in [0, 1, 9007199254740991] {
		caveats.whole(number)
	}
	every value in [-1, 0.5, "1", null, true] {
		not caveats.whole(value)
	}
}
