package assay.access.scenarios_test

import data.assay.access

record(type, id, attributes) := {"attributes": attributes, "found": true, "id": id, "related": {}, "type": type}

no_claims := {"action": {}, "context": {}, "resource": {}, "subject": {}}

request(subject, action, resource, claims) := {
	"facts": {
		"claimed": object.union(no_claims, claims),
		"payload": {"action": action, "check": "valid"},
		"resource": resource,
		"roles": {"assigned": []},
		"subject": subject,
	},
	"now": 1,
	"request": {"action": "access.evaluate", "obligations": [], "peer": {"id": "anonymous", "kind": "anonymous"}},
}

# The codes of the reasons, after the answer itself.
answer(subject, action, resource, claims) := array.concat([decision.allow], [reason.code | some reason in decision.reasons]) if {
	decision := access.decision with input as request(subject, action, resource, claims)
}

no := [false, "not_permitted"]

# cert

writer := record("user", "alice", {"cert": {"permissions": ["delete", "read", "write"]}})

admin := record("user", "bob", {"cert": {"permissions": ["read"], "role": "admin"}})

active := record("record", "r1", {"cert": {"status": "active"}})

archived := record("record", "r2", {"cert": {"status": "archived"}})

cert_yes := [true, "cert_permitted"]

test_cert_reads if {
	answer(writer, "read", active, {}) == cert_yes
	answer(admin, "read", active, {}) == cert_yes
	answer(record("user", "eve", {}), "read", active, {}) == no
	answer(writer, "read", record("record", "r9", {}), {}) == no
}

test_cert_writes_what_is_not_archived if {
	answer(writer, "write", active, {}) == cert_yes
	answer(admin, "write", active, {}) == no
	answer(writer, "write", archived, {}) == no
	answer(writer, "write", active, {"resource": {"status": "archived"}}) == no
}

test_cert_admins_write_what_is_archived if {
	answer(admin, "write", archived, {}) == cert_yes
	answer(writer, "write", archived, {"subject": {"role": "admin"}}) == cert_yes
	answer(admin, "read", archived, {}) == cert_yes
	answer(admin, "delete", archived, {"action": {"soft": true}}) == no
	answer(record("user", "eve", {}), "write", archived, {"subject": {"role": "admin"}}) == no
}

test_cert_deletes_softly if {
	answer(writer, "delete", active, {"action": {"soft": true}}) == cert_yes
	answer(writer, "delete", active, {"action": {"soft": false}}) == no
	answer(writer, "delete", active, {}) == no
	answer(admin, "delete", active, {"action": {"soft": true}}) == no
}

# todo

citizen(role) := record("user", role, {"todo": {"email": concat("", [role, "@example.org"]), "roles": [role]}})

todo(owner) := record("todo", "t1", {"todo": {"owner": concat("", [owner, "@example.org"])}})

todo_answers(action, resource) := {role: answer(citizen(role), action, resource, {})[0] |
	some role in ["admin", "editor", "evil_genius", "viewer"]
}

test_todo_everybody_reads if {
	everybody := {"admin": true, "editor": true, "evil_genius": true, "viewer": true}
	todo_answers("can_read_user", record("user", "x", {})) == everybody
	todo_answers("can_read_todos", todo("viewer")) == everybody
	answer(record("user", "eve", {}), "can_read_todos", todo("viewer"), {}) == no
	identity := record("identity", "a", {"todo": {"roles": ["admin"]}})
	answer(identity, "can_read_todos", todo("viewer"), {}) == no
}

test_todo_creating if {
	todo_answers("can_create_todo", todo("viewer")) == {"admin": true, "editor": true, "evil_genius": false, "viewer": false}
}

test_todo_changing if {
	todo_answers("can_update_todo", todo("viewer")) == {"admin": false, "editor": false, "evil_genius": true, "viewer": false}
	todo_answers("can_update_todo", todo("editor")) == {"admin": false, "editor": true, "evil_genius": true, "viewer": false}
}

test_todo_deleting if {
	todo_answers("can_delete_todo", todo("viewer")) == {"admin": true, "editor": false, "evil_genius": false, "viewer": false}
	todo_answers("can_delete_todo", todo("editor")) == {"admin": true, "editor": true, "evil_genius": false, "viewer": false}
}

test_todo_a_claimed_owner_does_not_count if {
	answer(citizen("editor"), "can_update_todo", todo("viewer"), {"resource": {"ownerID": "editor@example.org"}}) == no
}

# gateway

test_gateway_routes if {
	editor := record("identity", "e", {"gateway": {"roles": ["editor"]}})
	viewer := record("identity", "v", {"gateway": {"roles": ["viewer"]}})
	route := record("route", "/todos", {})
	answer(editor, "POST", route, {}) == [true, "route_permitted"]
	answer(viewer, "GET", route, {}) == [true, "route_permitted"]
	answer(viewer, "POST", route, {}) == no
	answer(editor, "GET", record("route", "/secrets", {}), {}) == no
	answer(editor, "POST", record("page", "/todos", {}), {}) == no
	answer(record("user", "e", {"gateway": {"roles": ["editor"]}}), "POST", route, {}) == no
	answer(viewer, "GET", object.union(route, {"found": false}), {}) == no
}

# search

searcher(id, role, department) := record("user", id, {"search": {"department": department, "role": role}})

paper := record("record", "101", {"search": {"department": "Legal", "owner": "ann"}})

search_answers(subject) := [answer(subject, action, paper, {})[0] | some action in ["view", "edit", "delete"]]

test_search if {
	search_answers(searcher("ann", "employee", "Sales")) == [true, true, true]
	search_answers(searcher("bea", "manager", "Sales")) == [true, false, false]
	search_answers(searcher("bea", "manager", "Legal")) == [true, true, false]
	search_answers(searcher("cyd", "contractor", "Legal")) == [true, false, false]
	search_answers(searcher("cyd", "contractor", "Sales")) == [false, false, false]
	answer(searcher("bea", "manager", "Legal"), "view", record("record", "r1", {}), {}) == no
	answer(record("user", "ann", {}), "view", paper, {}) == no
}

# idp

test_idp if {
	mine := record("record", "102", {"idp": {"owner": "ann"}})
	answer(record("user", "ann", {}), "delete", mine, {}) == [true, "idp_permitted"]
	answer(record("user", "bea", {}), "delete", mine, {}) == no
	answer(record("user", "ann", {}), "edit", mine, {}) == no
	answer(record("identity", "ann", {}), "delete", mine, {}) == no
	answer(object.union(record("user", "ann", {}), {"found": false}), "delete", mine, {}) == no
}

# What an action search asks about.

test_actions if {
	access.actions == {
		"DELETE",
		"GET",
		"POST",
		"PUT",
		"can_create_todo",
		"can_delete_todo",
		"can_read_todos",
		"can_read_user",
		"can_update_todo",
		"delete",
		"edit",
		"read",
		"view",
		"write",
	}
}

# The seed.

imported(peer, existing) := decision if {
	decision := access.decision with input as {
		"facts": {
			"claimed": no_claims,
			"payload": {"change": {"resources": [], "subjects": []}, "check": "valid"},
			"resource": {"attributes": {}, "existing": [], "found": false, "related": {}},
			"roles": {"assigned": [], "members": {}},
			"subject": {"attributes": {}, "existing": existing, "found": false, "related": {}},
		},
		"now": 1,
		"request": {"action": "access.import", "obligations": [], "peer": {"id": "seed", "kind": peer}},
	}
}

test_the_operator_seeds if {
	decision := imported("operator", [])
	decision.allow
	decision.effects == [{"kind": "access.import", "resources": [], "subjects": []}]
}

test_nobody_else_seeds if imported("anonymous", []).allow == false

test_a_seed_only_adds if imported("operator", [{"id": "alice", "type": "user"}]).allow == false

test_nothing_else_changes_state if {
	decision := access.decision with input as {
		"facts": {
			"payload": {"change": {}, "check": "valid"},
			"resource": {"existing": []},
			"subject": {"existing": []},
		},
		"request": {"action": "access.remove-subject", "peer": {"id": "seed", "kind": "operator"}},
	}
	decision.allow == false
}

test_a_malformed_seed_is_refused if {
	decision := access.decision with input as {
		"facts": {
			"payload": {"change": {}, "check": "malformed"},
			"resource": {"existing": []},
			"subject": {"existing": []},
		},
		"request": {"action": "access.import", "peer": {"id": "seed", "kind": "operator"}},
	}
	[reason.code | some reason in decision.reasons] == ["malformed_request"]
}

test_scenarios_answer_evaluations_only if {
	change := object.union(request(writer, "read", active, {}), {"request": {"action": "access.assign"}})
	access.decision.allow == false with input as change
}

test_a_malformed_payload_is_refused if {
	decision := access.decision with input as {"facts": {"payload": {"check": "malformed"}}, "request": {"action": "access.evaluate"}}
	decision.allow == false
	[reason.code | some reason in decision.reasons] == ["malformed_request"]
}
