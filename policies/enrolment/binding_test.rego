package assay.enrolment.binding_test

import data.assay.enrolment.given_test as given

enrols(members) := object.union(
	{
		"kind": "enrolment.enrol",
		"owner": "cell-a",
		"public_key": given.first,
		"scope": "cell",
	},
	members,
)

tells(key) := {"kind": "enrolment.revoke-elsewhere", "public_key": key}

with_key(state) := given.owner("cell", "cell-a", [given.has(given.second, state)])

test_the_first_key_of_a_cell if {
	given.allowed(given.binds(given.operator, []), "enrolled") == [enrols({})]
}

test_a_key_of_this_kernel_s_custody if {
	asked := given.binds(given.embedded, [{"proof": given.absent}, given.payload({"custody": "cell-a"})])
	given.allowed(asked, "enrolled") == [enrols({"custody": "cell-a"})]
}

test_the_same_again_changes_nothing if {
	given.allowed(given.binds(given.operator, [given.registered("cell", "cell-a", "active")]), "unchanged") == []
}

test_a_key_has_one_scope_for_ever if {
	every state in ["active", "grace", "retired", "revoked"] {
		given.refused(given.binds(given.operator, [given.registered("tenant", "cell-a", state)]), "key_scope_conflict")
	}
	given.refused(given.binds(given.operator, [given.key({"pinned_for_release": true})]), "key_scope_conflict")
}

test_a_key_has_one_owner_for_ever if {
	given.refused(given.binds(given.operator, [given.registered("cell", "cell-b", "active")]), "key_owner_conflict")
	given.refused(given.binds(given.operator, [given.registered("cell", "cell-b", "revoked")]), "key_owner_conflict")
}

test_nothing_leads_back if {
	every state in ["grace", "retired", "revoked"] {
		given.refused(given.binds(given.operator, [given.registered("cell", "cell-a", state)]), "key_out_of_use")
	}
}

test_scopes_have_their_actions if {
	every scope in ["cell", "controller", "release", "tenant"] {
		asked := given.asks(given.operator, "enrolment.register-key", [given.owner(scope, "x", [])])
		given.refused(asked, "scope_has_own_action")
	}
	asked := given.asks(given.operator, "enrolment.register-key", [given.owner("task", "builder", [])])
	given.allowed(asked, "enrolled") == [enrols({"owner": "builder", "scope": "task"})]
}

test_a_second_key_takes_a_hand_over_or_a_word if {
	given.refused(given.binds(given.operator, [with_key("active")]), "owner_has_key")
	given.refused(given.binds(given.operator, [with_key("revoked")]), "owner_has_key")
}

test_a_key_hands_over_whoever_brings_it if {
	asked := given.binds(given.nobody, [with_key("active"), {"hand_over": given.signed}])
	given.allowed(asked, "handed_over") == [enrols({"earlier": "grace"})]
	in_grace := given.binds(given.nobody, [with_key("grace"), {"hand_over": given.signed}])
	given.allowed(in_grace, "handed_over") == [enrols({"earlier": "grace"})]
}

test_a_key_out_of_use_does_not_hand_over if {
	every state in ["retired", "revoked"] {
		changes := [with_key(state), {"hand_over": given.signed}]
		given.refused(given.binds(given.operator, changes), "owner_has_key")
		given.refused(given.binds(given.nobody, changes), "peer_not_permitted")
		named := array.concat(changes, [given.payload({"replaces": given.second})])
		given.refused(given.binds(given.nobody, named), "peer_not_permitted")
	}
}

test_a_key_that_others_revoked_does_not_hand_over if {
	stolen := {"hand_over": {"check": "valid", "key_revoked": true}}
	given.refused(given.binds(given.nobody, [with_key("active"), stolen]), "peer_not_permitted")
	given.refused(given.binds(given.operator, [with_key("active"), stolen]), "owner_has_key")
}

test_a_hand_over_names_no_custody if {
	here := given.payload({"custody": "cell-a"})
	given.refused(given.binds(given.nobody, [with_key("active"), {"hand_over": given.signed}, here]), "peer_not_permitted")
}

test_a_hand_over_takes_a_proof_too if {
	asked := given.binds(given.nobody, [with_key("active"), {"hand_over": given.signed, "proof": given.absent}])
	given.refused(asked, "proof_missing")
}

test_a_permitted_peer_replaces_what_it_names if {
	named := given.payload({"replaces": given.second})
	given.allowed(given.binds(given.operator, [with_key("active"), named]), "replaced") == [
		enrols({"earlier": "revoked"}),
		tells(given.second),
	]
	given.allowed(given.binds(given.operator, [with_key("revoked"), named]), "replaced") == [enrols({"earlier": "revoked"})]
	given.refused(given.binds(given.nobody, [with_key("active"), named]), "peer_not_permitted")
}

test_what_is_replaced_is_the_newest if {
	named := given.payload({"replaces": given.third})
	given.refused(given.binds(given.operator, [with_key("active"), named]), "replaces_mismatch")
	given.refused(given.binds(given.operator, [named]), "replaces_mismatch")
	handed := given.binds(given.operator, [with_key("active"), named, {"hand_over": given.signed}])
	given.refused(handed, "replaces_mismatch")
}

tenant(changes) := given.asks(
	given.operator,
	"enrolment.register-tenant",
	array.concat([given.owner("tenant", "acme", [])], changes),
)

verified := {"by": "ops", "reference": "ticket 7"}

test_a_tenant_was_verified if {
	given.refused(tenant([]), "verification_missing")
	given.refused(tenant([{"claimed": {"verification": {"by": "ops", "reference": ""}}}]), "verification_missing")
	given.allowed(tenant([{"claimed": {"verification": verified}}]), "enrolled") == [enrols({
		"owner": "acme",
		"scope": "tenant",
		"verification": verified,
	})]
}

test_a_tenant_that_hands_over_is_the_same_tenant if {
	keys := given.owner("tenant", "acme", [given.has(given.second, "active")])
	given.allowed(tenant([keys, {"hand_over": given.signed}]), "handed_over") == [enrols({
		"earlier": "grace",
		"owner": "acme",
		"scope": "tenant",
	})]
	given.refused(tenant([keys, given.payload({"replaces": given.second})]), "verification_missing")
}

test_a_controller_is_pinned_without_asking_it if {
	asked := given.asks(given.embedded, "enrolment.pin-controller", [
		given.owner("controller", "controller", []),
		{"proof": given.absent},
	])
	given.allowed(asked, "enrolled") == [enrols({"owner": "controller", "scope": "controller"})]
}
