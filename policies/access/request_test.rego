package assay.access.request_test

import data.assay.access.given_test as given

ada := {"id": "ada", "kind": "user"}

joe := {"id": "joe", "kind": "user"}

portal := {"id": "p1", "kind": "portal"}

workload := given.resource("workload", "w1", {})

subject := given.subject("user", "ada", {})

judge := {"attributes": {}, "found": true, "id": "joe", "roles": ["judge"], "type": "user"}

state := {
	"action": "cancel",
	"created": given.now - 10,
	"expires": given.now + 590,
	"id": "d1",
	"incarnation": "i1",
	"requester": portal,
	"resource": {"id": "w1", "type": "workload"},
	"status": "pending",
	"subject": {"id": "ada", "type": "user"},
}

denial := {"check": "valid", "expires": given.now + 50}

# A request action of `peer`; `roles` are its facts beside the assigned roles.
asked(peer, verb, change, roles) := object.union(
	given.asked(peer, concat("", ["access.", verb]), change, {
		"resource": workload,
		"roles": object.union({"assigned": []}, roles),
		"subject": subject,
	}),
	{"facts": {"payload": {"action": "cancel"}}},
)

create(peer, change, roles) := asked(peer, "request", change, object.union(
	{"denial": denial, "request": {"found": false, "id": "d1"}},
	roles,
))

known(members) := {"found": true, "id": "d1", "state": object.union(state, members)}

by_judge(verb, change, members) := asked(joe, verb, change, {"actor": judge, "request": known(members)})

cancel(roles) := given.evaluation("cancel", {"resource": workload, "roles": object.union({"assigned": []}, roles)})

grant(members) := object.union(
	{"action": "cancel", "request": "d1", "resource": {"id": "w1", "type": "workload"}, "until": given.now + 1},
	members,
)

test_a_denial_offers_a_request if {
	decision := given.decide(cancel({}))
	decision.allow == false
	decision.output == {"access_request": {"expires_at": given.now + 60, "template": "judges"}}
}

test_only_what_a_permission_would_allow_is_offered if {
	every request in [
		cancel({"session": {"found": false, "id": "s1"}}),
		given.evaluation("pay", {"resource": given.resource("invoice", "i1", {})}),
		given.evaluation("cancel", {"resource": workload, "subject": given.subject("job", "j1", {})}),
		given.evaluation("cancel", {"resource": given.unknown("workload", "w2")}),
		cancel({"assigned": ["chief"]}),
	] {
		not given.decide(request).output
	}
}

test_nothing_is_offered_while_an_action_is_frozen if {
	decision := given.decide(cancel({})) with data.freeze.actions as ["access.evaluate"]
	decision.allow == false
	not decision.output
}

test_a_grant_permits_until_it_ends if {
	decision := given.decide(cancel({"grants": [grant({})]}))
	decision.allow
	{reason.code | some reason in decision.reasons} == {"request_approved"}
	given.refused(cancel({"grants": [grant({"until": given.now})]}), {"not_permitted"})
}

test_a_grant_permits_nothing_else if {
	given.refused(cancel({"grants": [grant({"action": "read"})]}), {"not_permitted"})
	given.refused(cancel({"grants": [grant({"resource": {"id": "w2"}})]}), {"not_permitted"})
	given.refused(
		given.evaluation("cancel", {
			"resource": workload,
			"roles": {"assigned": [], "grants": [grant({})]},
			"subject": given.subject("job", "j1", {}),
		}),
		{"not_permitted"},
	)
}

test_a_grant_ends_with_its_terms if {
	terms := object.remove(given.policy_data, ["requests"])
	decision := data.assay.access.decision with input as cancel({"grants": [grant({})]}) with data.access as terms
	decision.allow == false
}

test_a_grant_overrides_no_refusal if {
	given.refused(
		given.evaluation("cancel", {
			"resource": workload,
			"roles": {"assigned": [], "grants": [grant({})]},
			"subject": given.subject("user", "ada", {"attributes": {"disabled": true}}),
		}),
		{"subject_disabled"},
	)
}

test_subjects_and_portals_make_requests if {
	every peer in [ada, portal] {
		decision := given.decide(create(peer, {"justification": "why", "until": given.now + 60}, {}))
		decision.allow
		{reason.code | some reason in decision.reasons} == {"request_party"}
		decision.effects == [{"kind": "access.put-request", "state": object.union(state, {
			"created": given.now,
			"expires": given.now + 600,
			"justification": "why",
			"requester": peer,
			"until": given.now + 60,
		})}]
		decision.output == {"request": {"expires": given.now + 600, "id": "d1", "status": "pending"}}
	}
}

test_others_make_no_requests if {
	given.refused(create(joe, {}, {}), {"not_requester"})
	given.refused(create(given.nobody, {}, {}), {"not_requester"})
}

test_a_request_is_bound_to_a_denial if {
	given.refused(create(ada, {}, {"denial": {"check": "valid", "expires": given.now}}), {"denial_expired"})
	every pair in [["unknown", "unknown_denial"], ["mismatch", "other_denial"], ["valid", "not_requestable"]] {
		request := asked(ada, "request", {}, {"denial": {"check": pair[0]}, "request": {"found": false, "id": "d1"}})
		given.refused(request, {pair[1]})
	}
}

test_what_is_no_longer_requestable_is_not_requested if {
	request := create(ada, {}, {})
	terms := object.remove(given.policy_data, ["requests"])
	decision := data.assay.access.decision with input as request with data.access as terms
	{reason.code | some reason in decision.reasons} == {"not_requestable"}
}

test_one_denial_is_good_for_one_request if {
	given.refused(create(ada, {}, {"request": known({})}), {"request_exists"})
}

test_a_request_is_for_somebody if {
	request := object.union(create(portal, {}, {}), {"facts": {"subject": {"found": false}}})
	given.refused(request, {"unknown_subject"})
}

test_requested_access_ends_in_time if {
	given.allowed(create(ada, {"until": given.now + 3600}, {}))
	given.refused(create(ada, {"until": given.now + 3601}, {}), {"request_lifetime"})
	given.refused(create(ada, {"until": given.now}, {}), {"request_lifetime"})
}

test_an_approval_is_a_grant if {
	decision := given.decide(by_judge("approve-request", {}, {"until": given.now + 60}))
	decision.allow
	decision.effects == [
		{"kind": "access.put-request", "state": object.union(state, {"status": "approved", "until": given.now + 60})},
		{
			"grant": grant({"until": given.now + 60}),
			"kind": "access.grant",
			"subject": {"id": "ada", "type": "user"},
		},
	]
	decision.output.request == {
		"expires": given.now + 590,
		"id": "d1",
		"status": "approved",
		"until": given.now + 60,
	}
}

end_of(request) := given.decide(request).effects[1].grant.until

test_the_approver_may_say_when_it_ends if {
	end_of(by_judge("approve-request", {"until": given.now + 5}, {"until": given.now + 60})) == given.now + 5
	end_of(by_judge("approve-request", {}, {})) == given.now + 3600
	given.refused(by_judge("approve-request", {"until": given.now + 3601}, {}), {"request_lifetime"})
	given.refused(by_judge("approve-request", {}, {"until": given.now}), {"request_lifetime"})
}

test_only_approvers_decide if {
	every verb in ["approve-request", "deny-request"] {
		given.allowed(by_judge(verb, {}, {}))
		given.refused(asked(joe, verb, {}, {"request": known({})}), {"unknown_request"})
		given.refused(asked(given.operator, verb, {}, {"request": known({})}), {"not_approver"})
		disabled := object.union(judge, {"attributes": {"disabled": true}})
		given.refused(asked(joe, verb, {}, {"actor": disabled, "request": known({})}), {"unknown_request"})
		program := object.union(judge, {"type": "job"})
		given.refused(asked(joe, verb, {}, {"actor": program, "request": known({})}), {"unknown_request"})
	}
}

test_nobody_decides_on_their_own_request if {
	every verb in ["approve-request", "deny-request"] {
		given.refused(by_judge(verb, {}, {"requester": joe}), {"own_request"})
		own := object.union(judge, {"id": "ada"})
		given.refused(asked(ada, verb, {}, {"actor": own, "request": known({})}), {"own_request"})
	}
}

test_only_pending_requests_are_decided if {
	every verb in ["approve-request", "deny-request"] {
		every change in [{"status": "denied"}, {"status": "approved"}, {"status": "cancelled"}, {"expires": given.now}] {
			given.refused(by_judge(verb, {}, change), {"request_closed"})
		}
	}
}

test_an_approval_is_not_for_somebody_else_of_that_name if {
	given.refused(by_judge("approve-request", {}, {"incarnation": "i0"}), {"unknown_subject"})
}

test_grants_are_few if {
	given.refused(full(given.now + 1), {"too_many_grants"})
	given.allowed(full(given.now))
}

full(until) := asked(joe, "approve-request", {}, {
	"actor": judge,
	"grants": [grant({"until": until}) | some _ in numbers.range(1, 64)],
	"request": known({}),
})

test_a_denied_request_stays_denied if {
	decision := given.decide(by_judge("deny-request", {}, {}))
	decision.effects == [{"kind": "access.put-request", "state": object.union(state, {"status": "denied"})}]
}

test_the_requester_the_subject_and_administrators_withdraw if {
	every peer in [ada, portal, given.operator] {
		decision := given.decide(asked(peer, "withdraw-request", {}, {"request": known({})}))
		decision.allow
		decision.output.request.status == "cancelled"
	}
	given.refused(by_judge("withdraw-request", {}, {}), {"not_own_request"})
	given.refused(asked(joe, "withdraw-request", {}, {"request": known({})}), {"unknown_request"})
	given.refused(asked(ada, "withdraw-request", {}, {"request": known({"status": "denied"})}), {"request_closed"})
}

test_an_approval_is_revoked_once if {
	decision := given.decide(by_judge("revoke-approval", {}, {"status": "approved", "until": given.now + 5}))
	decision.effects == [
		{"kind": "access.put-request", "state": object.union(state, {
			"revoked": given.now,
			"status": "approved",
			"until": given.now + 5,
		})},
		{"kind": "access.revoke-grant", "request": "d1", "subject": {"id": "ada", "type": "user"}},
	]
	decision.output.request.until == given.now
	given.allowed(asked(given.operator, "revoke-approval", {}, {"request": known({"status": "approved"})}))
	given.refused(by_judge("revoke-approval", {}, {"status": "approved", "revoked": given.now - 1}), {"not_approved"})
	given.refused(by_judge("revoke-approval", {}, {}), {"not_approved"})
	given.refused(asked(ada, "revoke-approval", {}, {"request": known({"status": "approved"})}), {"not_approver"})
}

shown(members) := given.decide(asked(portal, "show-request", {}, {"request": object.union(
	{"approval": "a1"},
	known(members),
)})).output.request

test_a_request_is_shown_to_those_concerned if {
	shown({}) == {
		"approval": "a1",
		"about": {
			"action": "cancel",
			"requester": portal,
			"resource": {"id": "w1", "type": "workload"},
			"subject": {"id": "ada", "type": "user"},
		},
		"expires": given.now + 590,
		"id": "d1",
		"status": "pending",
	}
	given.allowed(by_judge("show-request", {}, {}))
	given.refused(asked(joe, "show-request", {}, {"request": known({})}), {"unknown_request"})
	given.refused(asked(portal, "show-request", {}, {"request": {"found": false, "id": "d1"}}), {"unknown_request"})
}

test_what_is_shown_is_up_to_date if {
	shown({"expires": given.now}).status == "expired"
	approved := shown({"status": "approved", "until": given.now + 5})
	approved.approval == "a1"
	approved.until == given.now + 5
	shown({"status": "approved", "until": given.now + 5, "revoked": given.now - 1}).until == given.now - 1
}
