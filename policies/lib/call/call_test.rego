package assay.lib.call_test

import data.assay.lib.call

now := 1800000000

caller := {
	"cell": "cell-a",
	"check": "valid",
	"key_state": "active",
	"nonce": "AAAAAAAAAAAAAAAAAAAAAA",
	"nonce_state": "fresh",
	"time": now,
}

given(members) := {"facts": {"caller": object.union(caller, members)}, "now": now}

code(members) := found if {
	found := call.refusal.code with input as given(members)
}

holds(members) if {
	not call.refusal with input as given(members)
}

test_a_call_that_holds_is_the_cell_s if {
	holds({})
	holds({"key_state": "grace"})
	call.cell == "cell-a" with input as given({})
}

test_nobody_signed if {
	nobody := {"cell": "", "check": "absent", "key_state": "none", "nonce": "", "time": 0}
	holds(nobody)
	not call.cell with input as given(nobody)
}

test_what_does_not_hold_has_one_reason if {
	code({"check": "cell_unknown", "key_state": "none"}) == "caller_unknown"
	code({"check": "signature_invalid", "key_state": "none"}) == "caller_invalid"
	code({"check": "anything_else"}) == "caller_invalid"
	code({"key_state": "revoked", "time": 0}) == "caller_key_revoked"
	code({"key_state": "retired"}) == "caller_key_revoked"
	code({"nonce_state": "seen", "time": now - 31}) == "caller_stale"
	code({"nonce_state": "seen"}) == "caller_replayed"
	code({"nonce_state": "full"}) == "caller_busy"
}

test_a_call_that_does_not_hold_is_nobody_s if {
	not call.cell with input as given({"nonce_state": "seen"})
}

test_clocks_may_differ_by_half_a_minute if {
	holds({"time": now - 30})
	holds({"time": now + 30})
	code({"time": now - 31}) == "caller_stale"
	code({"time": now + 31}) == "caller_stale"
}
