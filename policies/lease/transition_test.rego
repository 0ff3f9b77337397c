package assay.lease.transition_test

import data.assay.lease.given_test as given

effects(asked) := given.decide(asked).effects

test_a_resource_is_added_once if {
	effects(given.adding({})) == [{"cell": "cell-a", "kind": "lease.add", "resource": "gpu-0"}]
	known := given.adding({"resource": given.leased})
	given.allowed(known, "resource_known")
	effects(known) == []
}

test_a_grant_takes_the_request_along if {
	effects(given.granting({})) == [{
		"caveats": [],
		"cell": "cell-a",
		"custody": "cell-a",
		"expires_at": given.now + 60,
		"kind": "lease.grant",
		"nk": given.key,
		"resource": "gpu-0",
		"tenant": "demo",
	}]
	asked := {"caveats": [{"t": "op", "v": []}], "check": "valid", "cnf": given.key, "jti": "j", "nk": given.key, "ttl": 1}
	[effect] := effects(given.granting({"payload": asked}))
	[effect.caveats, effect.cnf, effect.jti] == [[{"t": "op", "v": []}], given.key, "j"]
}

test_a_renewal_kills_what_came_before_for_as_long_as_it_could_live if {
	effects(given.renewing({})) == [{
		"custody": "cell-a",
		"dead_until": given.now + 330,
		"expires_at": given.now + 60,
		"kind": "lease.renew",
		"lease": given.lease_id,
		"nk": given.key,
	}]
}

test_each_end_has_its_name if {
	due := {"lease": given.lease_record({"expires_at": given.now})}
	every action, state in {"lease.expire": "expired", "lease.free": "freed", "lease.revoke": "revoked"} {
		effects(given.ending(action, due)) == [{
			"dead_until": given.now + 330,
			"kind": "lease.end",
			"lease": given.lease_id,
			"state": state,
		}]
	}
}

test_what_has_ended_ends_no_more if {
	every action in ["lease.expire", "lease.free", "lease.revoke"] {
		again := given.ending(action, {"lease": given.lease_record({"state": "freed"})})
		given.allowed(again, "already_ended")
		effects(again) == []
	}
}

test_a_report_settles_the_teardown if {
	every ok, code in {true: "torn_down", false: "teardown_failed"} {
		given.allowed(given.reporting(ok, {}), code)
		effects(given.reporting(ok, {})) == [{
			"kind": "lease.settle",
			"lease": given.lease_id,
			"ok": ok,
			"resource": "gpu-0",
			"why": "it hangs",
		}]
	}
}

test_a_second_report_changes_nothing if {
	settled := given.lease_record({"state": "freed", "teardown": {"epoch": 6, "outcome": "done"}})
	effects(given.reporting(true, {"lease": settled})) == []
}

test_a_fence_is_cleared_in_two_steps if {
	asking := given.asks(given.operator, "lease.request-reset", {"resource": given.fenced})
	given.allowed(asking, "reset_requested")
	effects(asking) == [{"kind": "lease.request-reset", "resource": "gpu-0"}]
	given.allowed(given.observing({}), "reset_observed")
	effects(given.observing({})) == [{"kind": "lease.clear", "resource": "gpu-0"}]
}
