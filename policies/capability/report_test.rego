package assay.capability.report_test

import data.assay.capability.given_test as given

caller := {
	"cell": "cell-b",
	"check": "valid",
	"key_state": "active",
	"nonce": "AAAAAAAAAAAAAAAAAAAAAA",
	"nonce_state": "fresh",
	"time": given.now,
}

report := {"at": "cell-b", "handle": given.handle, "known": false, "local": true, "time": given.now}

tells(signed, said) := given.asks("capability.report", {
	"caller": object.union(caller, signed),
	"report": object.union(report, said),
	"token": {"check": "absent"},
})

test_a_cell_is_heard if {
	decision := given.decide(tells({}, {}))
	decision.allow
	decision.effects == [{
		"at": "cell-b",
		"handle": given.handle,
		"kind": "capability.hear",
		"until": given.now + 600,
	}]
	[reason.code | some reason in decision.reasons] == ["report_heard"]
	not decision.output
}

test_only_a_cell_is_heard if {
	given.refused(tells({"check": "absent"}, {}), "report_unsigned")
	given.refused(tells({"check": "cell_unknown"}, {}), "caller_unknown")
	given.refused(tells({"check": "signature_invalid"}, {}), "caller_invalid")
	given.refused(tells({"key_state": "revoked"}, {}), "caller_key_revoked")
	given.refused(tells({"nonce_state": "seen"}, {}), "caller_replayed")
	given.refused(tells({"time": given.now - 31}, {}), "caller_stale")
}

test_a_report_is_the_cell_s_own_about_a_token_of_this_kernel_s_and_new if {
	given.refused(tells({}, {"at": "cell-c"}), "report_of_others")
	given.refused(tells({}, {"local": false}), "report_misdirected")
	given.refused(tells({}, {"known": true}), "report_known")
}

elsewhere(cell, found) := given.asks("capability.use", {
	"claimed": {"at": "cell-b", "operation": {"op": "submit", "resource": "gpu-0"}},
	"state": {"cell": cell, "counters": {}, "elsewhere": found, "revocations": []},
})

test_the_named_cell_is_told if {
	decision := given.decide(elsewhere({"local": false}, {"custody": "cell-b", "reported": false}))
	not decision.allow
	[reason.code | some reason in decision.reasons] == ["audience_mismatch"]
	decision.effects == [{
		"at": "cell-b",
		"cell": "cell-a",
		"handle": given.handle,
		"key": "cell-b",
		"kind": "capability.alert",
		"until": given.now + 600,
	}]
}

# However long ago the token ended, or however late it will: audience comes before time.
test_it_is_remembered_for_as_long_whatever_the_token_says if {
	every ends in [given.now - 1000, given.now + 1000000] {
		decision := given.decide(object.union(
			elsewhere({"local": false}, {"custody": "cell-b", "reported": false}),
			{"facts": {"token": {"exp": ends}}},
		))
		[effect.until | some effect in decision.effects] == [given.now + 600]
	}
}

test_it_is_told_once_by_a_cell_of_this_kernel_and_not_by_itself if {
	given.refused(elsewhere({"local": false}, {"custody": "cell-b", "reported": true}), "audience_mismatch")
	given.refused(elsewhere({"local": false}, {"reported": false}), "audience_mismatch")
	given.refused(elsewhere({"local": true}, {"custody": "cell-b", "reported": false}), "audience_mismatch")
}
