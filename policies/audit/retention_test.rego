package assay.audit.retention_test

import data.assay.audit.given_test as given
import data.assay.audit.retention

old := given.now - (10 * given.day)

young := given.now - given.day

first := "00000000000000000000000000000001"

second := "00000000000000000000000000000002"

erased(decision) := [id | some effect in decision.effects; some id in effect.ids]

expire(items) := given.asks(given.kernel, "audit.expire", given.about(items))

erase(items) := given.asks(given.paul, "audit.erase", given.about(items))

class_of(record) := class if {
	class := retention.class(record) with data.audit as given.policy_data
}

test_the_first_rule_that_fits_gives_the_class if {
	class_of(given.record({})) == "long"
	class_of(given.record({"allow": false})) == "short"
	class_of(given.record({"action": "access.assign", "allow": false})) == "long"
	class_of(given.record({"action": "audit.query", "allow": false})) == "always"
}

test_what_was_kept_for_long_enough_goes if {
	decision := given.decide(expire([given.record({"time": old}), given.record({"id": second, "time": old + 1})]))
	decision.allow
	erased(decision) == [first]
	decision.output == {"erased": 1}
}

test_nothing_is_due_before_its_time if {
	given.refused(expire([given.record({"time": old + 1})]), {"nothing_to_erase"})
	given.refused(expire([given.record({"action": "audit.query", "time": 0})]), {"nothing_to_erase"})
	given.refused(expire([]), {"nothing_to_erase"})
}

test_a_hold_wins_over_expiry if {
	items := [given.record({"holds": ["case-7"], "time": old}), given.record({"id": second, "time": old})]
	erased(given.decide(expire(items))) == [second]
	given.refused(expire([given.record({"holds": ["case-7"], "time": old})]), {"nothing_to_erase"})
}

test_a_walk_goes_on_while_something_further_on_may_be_due if {
	on := {"items": [given.record({"time": young})], "next": "64"}
	given.decide(given.asks(given.kernel, "audit.expire", {"records": on})).output == {"next": "64"}
	off := {"items": [given.record({"time": young + 1})], "next": "64"}
	not given.decide(given.asks(given.kernel, "audit.expire", {"records": off})).output
	gone := {"items": [given.record({"time": old})], "next": "64"}
	given.decide(given.asks(given.kernel, "audit.expire", {"records": gone})).output == {"erased": 1, "next": "64"}
}

test_a_request_erases_what_it_names if {
	decision := given.decide(erase([given.record({"id": second}), given.record({})]))
	decision.allow
	erased(decision) == [first, second]
	given.refused(erase([]), {"nothing_to_erase"})
}

test_a_request_does_not_reach_what_is_held_or_protected if {
	given.refused(erase([given.record({"holds": ["case-7"]}), given.record({"id": second})]), {"legal_hold"})
	given.refused(erase([given.record({"action": "audit.query"})]), {"protected_record"})
}
