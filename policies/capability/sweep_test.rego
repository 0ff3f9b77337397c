package assay.capability.sweep_test

import data.assay.capability.given_test as given

operator := {"id": "root", "kind": "operator"}

sweeps(peer, records) := object.union(
	given.asks("capability.sweep", {"sweep": {"records": records}}),
	{"request": {"peer": peer}},
)

over := {"key": "nonce/a", "until": given.now - 1}

kept := {"key": "nonce/b", "until": given.now}

test_what_is_over_goes if {
	decision := given.decide(sweeps(operator, [over, kept]))
	decision.allow
	decision.effects == [{"keys": ["nonce/a"], "kind": "capability.forget"}]
	[reason.code | some reason in decision.reasons] == ["due"]
}

test_nothing_else_goes if {
	given.refused(sweeps(operator, [kept]), "nothing_due")
	given.refused(sweeps({"id": "anonymous", "kind": "anonymous"}, [over]), "not_sweeper")
}
