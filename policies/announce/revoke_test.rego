package assay.announce.revoke_test

import data.assay.announce.given_test as given

asks(members) := given.asks(given.operator, "announce.revoke", {
	"cell": given.local_cell,
	"revocation": given.revocation(members),
})

written(members) := given.decide(asks(members)).effects

latest := given.now + 330

base := {"cell": "cell-a", "custody": "cell", "id": "t1", "kind": "announce.revoke", "of": "token", "reach": "cell-a", "signer": "own"}

test_a_token_is_revoked_for_as_long_as_it_can_live if {
	written({}) == [object.union(base, {"until": latest})]
	written({"until": given.now + 10}) == [object.union(base, {"until": given.now + 10})]
	written({"until": given.now + 9999}) == [object.union(base, {"until": latest})]
	given.decide(asks({})).output == {"repeated": false, "until": latest}
}

test_a_tenant_is_revoked_for_ever_unless_an_end_is_asked_for if {
	written({"kind": "tenant"}) == [object.union(base, {"of": "tenant"})]
	written({"kind": "key", "until": given.now + 9999}) == [object.union(base, {"of": "key", "until": given.now + 9999})]
}

test_a_lease_is_revoked_below_a_generation if {
	written({"kind": "lease", "below": 3, "every_generation": false}) == [object.union(
		base,
		{"below": 3, "of": "lease", "until": latest},
	)]
	given.refused(asks({"below": 3, "every_generation": false}), "below_without_lease")
}

for_all(members) := given.signer({"delegation": given.delegation(members)})

reach_of(kind, members) := decision.effects[0].reach if {
	may_all := object.union(given.policy_data, {"may_revoke": {"delegate": ["key", "tenant", "token"]}})
	decision := data.assay.announce.decision with input as given.asks(given.operator, "announce.revoke", {
		"cell": given.local_cell,
		"revocation": given.revocation({"kind": kind}),
		"signer": for_all(members),
	})
		with data.announce as may_all
		with data.freeze as {"actions": []}
}

test_a_cell_revokes_everywhere_with_the_controller_s_word if {
	reach_of("tenant", {}) == "*"
	reach_of("key", {}) == "*"
	reach_of("token", {}) == "cell-a"
	every members in [
		{"by": "revoked"}, {"every_cell": false}, {"expires": given.now}, {"not_before": given.now + 1},
		{"revoked": true}, {"types": ["ANNOUNCE"]},
	] {
		reach_of("tenant", members) == "cell-a"
	}
}

test_what_is_revoked_at_one_cell_is_not_everywhere if {
	may_all := object.union(given.policy_data, {"may_revoke": {"delegate": ["tenant"]}})
	asked := given.revocation({"kind": "tenant", "record": given.record({"mortal": false, "until": 0})})
	decision := data.assay.announce.decision with input as given.asks(given.operator, "announce.revoke", {
		"cell": given.local_cell,
		"revocation": asked,
		"signer": for_all({}),
	})
		with data.announce as may_all
		with data.freeze as {"actions": []}
	decision.output == {"repeated": false}
}

test_an_end_that_has_passed_is_none if given.refused(asks({"until": given.now}), "until_over")

by(cell) := given.asks(given.operator, "announce.revoke", {"cell": cell})

test_only_cells_of_this_kernel_revoke if {
	given.refused(by(given.unknown_cell), "cell_unknown")
	given.refused(by(given.foreign_cell), "cell_not_local")
	given.refused(by(object.union(given.local_cell, {"signer": {"held": false}})), "signer_not_held")
}

repeated(members) if {
	decision := given.decide(asks(members))
	{reason.code | some reason in decision.reasons} == {"already_revoked", "peer_allowed"}
	decision.effects == []
	decision.output == {"repeated": true}
}

test_what_is_revoked_is_not_told_again if {
	repeated({"record": given.record({})})
	repeated({"record": given.record({}), "until": given.now + 100})
	repeated({"record": given.record({"mortal": false, "until": 0}), "until": given.now + 100})
	repeated({"kind": "tenant", "record": given.record({"mortal": false, "until": 0})})
	repeated({"below": 3, "every_generation": false, "kind": "lease", "record": given.record({})})
	repeated({
		"below": 3,
		"every_generation": false,
		"kind": "lease",
		"record": given.record({"below": 3, "every_generation": false}),
	})
}

test_more_than_is_revoked_is if {
	count(written({"record": given.record({"until": given.now - 1})})) == 1
	count(written({"record": given.record({}), "until": given.now + 101})) == 1
	count(written({"kind": "tenant", "record": given.record({})})) == 1
	count(written({"kind": "lease", "record": given.record({"below": 3, "every_generation": false})})) == 1
	count(written({
		"below": 4,
		"every_generation": false,
		"kind": "lease",
		"record": given.record({"below": 3, "every_generation": false}),
	})) == 1
}

calls(members) := given.asks(given.nobody, "announce.revoke", {
	"caller": given.caller(members),
	"cell": given.local_cell,
})

test_a_cell_s_signed_call_revokes_what_is_its_own if {
	decision := given.decide(calls({}))
	decision.allow
	[effect.kind | some effect in decision.effects] == ["announce.revoke", "announce.heard"]
	decision.effects[1] == {"cell": "cell-a", "kind": "announce.heard", "nonce": "n", "time": given.now}
	given.refused(calls({"cell": "cell-b"}), "peer_not_allowed")
	tenant := object.union(calls({}), {"facts": {"revocation": given.revocation({"kind": "tenant"})}})
	given.refused(tenant, "peer_not_allowed")
}

test_a_call_that_does_not_hold_is_refused_as_everywhere if {
	given.refused(calls({"check": "signature_invalid"}), "caller_invalid")
	given.refused(calls({"nonce_state": "seen"}), "caller_replayed")
}
