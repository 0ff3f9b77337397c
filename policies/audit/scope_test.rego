package assay.audit.scope_test

import data.assay.audit.given_test as given

opened(peer, facts) := given.decide(given.asks(peer, "audit.query", facts)).output.open

test_roles_come_with_a_kind_of_peer_or_by_name if {
	given.allowed(given.asks(given.operator, "audit.query", {}), {"audit_role"})
	given.allowed(given.asks(given.carol, "audit.query", {}), {"audit_role"})
	given.refused(given.asks({"id": "carol", "kind": "anonymous"}, "audit.query", {}), {"no_audit_role"})
	given.refused(given.asks({"id": "eve", "kind": "user"}, "audit.query", {}), {"no_audit_role"})
}

test_a_role_permits_its_actions_only if {
	given.refused(given.asks(given.carol, "audit.erase", given.about([given.record({})])), {"no_audit_role"})
	given.refused(given.asks(given.paul, "audit.receipt", given.about([given.record({})])), {"no_audit_role"})
	given.refused(given.asks(given.operator, "audit.expire", given.about([given.record({})])), {"no_audit_role"})
}

test_some_fields_take_a_purpose if {
	opened(given.carol, {}) == [{"actions": ["*"], "fields": ["verdict"]}]
	opened(given.carol, {"claimed": {"purpose": "case 7"}}) == [
		{"actions": ["*"], "fields": ["verdict"]},
		{"actions": ["access.*"], "fields": ["payload"]},
	]
}

test_who_only_erases_opens_nothing if {
	opened(given.paul, {"claimed": {"purpose": "case 7"}}) == []
}
