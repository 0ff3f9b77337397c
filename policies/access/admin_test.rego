package assay.access.admin_test

import data.assay.access
import data.assay.access.given_test as given

ada := {"id": "ada", "type": "user"}

node := {"resource": given.resource("node", "n1", {})}

put(peer, roles) := given.asked(peer, "access.put-resource", {"attributes": {"x": 1}, "related": {}}, object.union(
	node,
	{"roles": roles},
))

effects(request) := effects if {
	decision := given.decide(request)
	decision.allow
	effects := decision.effects
}

actor(members) := object.union(
	{"attributes": {}, "found": true, "id": "root", "roles": ["admin"], "type": "user"},
	members,
)

by_actor(members) := put({"id": "root", "kind": "user"}, {
	"actor": actor(members),
	"assigned": [],
	"members": {},
})

test_an_operator_administers if {
	decision := given.decide(put(given.operator, {"assigned": [], "members": {}}))
	decision.allow
	[reason.code | some reason in decision.reasons] == ["administrator"]
	decision.effects == [{
		"attributes": {"x": 1},
		"id": "n1",
		"kind": "access.put-resource",
		"related": {},
		"type": "node",
	}]
}

test_anybody_else_does_not if {
	given.refused(put(given.nobody, {"assigned": [], "members": {}}), {"not_administrator"})
}

test_somebody_else_learns_nothing_about_the_state if {
	request := given.asked(given.nobody, "access.remove-subject", {}, {"subject": given.unknown("user", "ada")})
	given.refused(request, {"not_administrator"})
}

test_somebody_else_learns_nothing_about_what_may_be_stored if {
	request := given.asked(given.nobody, "access.put-subject", {"attributes": {}, "related": {}}, {"subject": given.unknown("robot", "r2")})
	given.refused(request, {"not_administrator"})
}

test_a_person_with_the_role_administers if given.allowed(by_actor({}))

test_a_person_without_it_does_not if {
	every members in [
		{"roles": ["staff"]},
		{"found": false},
		{"attributes": {"disabled": true}},
		{"type": "tool"},
		{"roles": ["admin", "biller", "payer"]},
	] {
		given.refused(by_actor(members), {"not_administrator"})
	}
}

session := {
	"expires": given.now + 60,
	"found": true,
	"id": "s1",
	"incarnation": "i1",
	"opened": given.now - 60,
	"roles": ["payer"],
	"subject": ada,
}

opened(peer) := given.asked(peer, "access.open-session", {"expires": given.now + 60, "roles": ["payer"]}, {
	"roles": {"assigned": ["payer"], "members": {}, "session": {"found": false, "id": "s1"}},
	"subject": given.subject("user", "ada", {}),
})

closed(peer) := given.asked(peer, "access.close-session", {}, {"roles": {
	"assigned": [],
	"members": {},
	"session": session,
}})

test_people_open_their_own_session if {
	decision := given.decide(opened({"id": "ada", "kind": "user"}))
	decision.allow
	[reason.code | some reason in decision.reasons] == ["self_service"]
	decision.effects == [{
		"expires": given.now + 60,
		"id": "s1",
		"kind": "access.open-session",
		"roles": ["payer"],
		"subject": ada,
	}]
}

test_people_do_not_open_anothers_session if {
	given.refused(opened({"id": "bob", "kind": "user"}), {"not_administrator"})
	given.refused(opened({"id": "ada", "kind": "tool"}), {"not_administrator"})
}

test_people_close_their_own_session if {
	effects(closed({"id": "ada", "kind": "user"})) == [{"id": "s1", "kind": "access.close-session"}]
}

test_people_do_not_close_anothers_session if {
	given.refused(closed({"id": "bob", "kind": "user"}), {"not_administrator"})
}

test_self_service_ends_at_sessions if {
	request := given.asked({"id": "ada", "kind": "user"}, "access.assign", {"role": "staff"}, {"subject": given.subject("user", "ada", {})})
	given.refused(request, {"not_administrator"})
}

test_self_service_is_what_the_data_says if {
	without := object.union(object.remove(given.policy_data, ["self_service"]), {"self_service": []})
	decision := access.decision with input as closed({"id": "ada", "kind": "user"}) with data.access as without
	[reason.code | some reason in decision.reasons] == ["not_administrator"]
}

test_roles_permit_no_change if {
	request := given.asked(given.nobody, "access.close-session", {}, {
		"payload": {"action": "enter", "change": {}, "check": "valid"},
		"resource": given.resource("canteen", "main", {}),
		"roles": {"assigned": ["staff"], "members": {}, "session": session},
		"subject": given.subject("user", "ada", {}),
	})
	given.refused(request, {"not_administrator"})
}

test_roles_are_no_reason_for_a_change if {
	decision := given.decide(given.asked_by_operator("access.remove-resource", {}, {
		"payload": {"action": "enter", "change": {}, "check": "valid"},
		"resource": given.resource("canteen", "main", {}),
		"roles": {"assigned": ["staff"], "members": {}},
		"subject": given.subject("user", "ada", {}),
	}))
	[reason.code | some reason in decision.reasons] == ["administrator"]
}

# Facts that would refuse, or become, any other change.
noise := {
	"payload": {"check": "valid", "change": {
		"acts_for": {"id": "r2", "type": "robot"},
		"attributes": {},
		"expires": 0,
		"related": {},
		"resources": [],
		"role": "ghost",
		"roles": ["biller", "judge", "payer"],
		"subjects": [{
			"acts_for": {"id": "r2", "type": "robot"},
			"attributes": {},
			"id": "r3",
			"related": {},
			"roles": ["ghost", "judge", "party", "chief"],
			"type": "robot",
		}],
	}},
	"resource": object.union(given.unknown("node", "n1"), {"existing": [{"id": "n1", "type": "node"}]}),
	"roles": {
		"assigned": ["judge", "chief"],
		"members": {"chief": 9, "ghost": 9},
		"session": session,
	},
	"subject": object.union(
		given.subject("robot", "r2", {"attributes": {"disabled": true}}),
		{"existing": [{"id": "r2", "type": "robot"}]},
	),
}

test_each_change_is_judged_by_its_own_rules if {
	effects(given.asked_by_operator("access.close-session", {}, noise)) == [{"id": "s1", "kind": "access.close-session"}]
	given.refused(given.asked_by_operator("access.remove-resource", {}, noise), {"unknown_resource"})
	given.refused(given.asked_by_operator("access.assign", {}, noise), {"not_a_person", "unknown_role"})
	given.refused(given.asked_by_operator("access.put-subject", {}, noise), {
		"not_a_person",
		"not_a_program",
		"unknown_subject_type",
	})
}

test_revoking_is_not_judged_like_assigning if {
	request := given.asked_by_operator("access.revoke", {"role": "chief", "roles": []}, {
		"roles": {"assigned": ["chief", "judge", "party"], "members": {"chief": 9}},
		"subject": given.subject("user", "ada", {}),
	})
	count(effects(request)) == 1
}

test_each_change_comes_to_its_effect if {
	subject := {"subject": given.subject("user", "ada", {})}
	effects(given.asked_by_operator("access.assign", {"role": "staff"}, subject)) == [{
		"kind": "access.assign-role",
		"role": "staff",
		"subject": ada,
	}]
	effects(given.asked_by_operator("access.revoke", {"role": "staff"}, object.union(
		subject,
		{"roles": {"assigned": ["staff"], "members": {"staff": 1}}},
	))) == [{"kind": "access.revoke-role", "role": "staff", "subject": ada}]
	effects(given.asked_by_operator("access.put-subject", {"attributes": {"a": 1}, "related": {}}, subject)) == [{
		"attributes": {"a": 1},
		"id": "ada",
		"kind": "access.put-subject",
		"related": {},
		"type": "user",
	}]
	effects(given.asked_by_operator("access.remove-subject", {}, subject)) == [{"kind": "access.remove-subject", "subject": ada}]
	effects(given.asked_by_operator("access.remove-resource", {}, node)) == [{
		"kind": "access.remove-resource",
		"resource": {"id": "n1", "type": "node"},
	}]
}
