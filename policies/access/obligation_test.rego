package assay.access.obligation_test

import data.assay.access.given_test as given

test_an_allow_has_the_obligations_of_its_action if {
	decision := given.decide(given.evaluation("serve", {
		"resource": given.resource("canteen", "main", {}),
		"roles": {"assigned": ["staff"]},
	}))
	decision.allow
	decision.obligations == [{"id": "o1", "properties": {"acr_value": "high"}, "type": "step-up"}]
}

test_a_deny_has_none if {
	decision := given.decide(given.evaluation("serve", {"resource": given.resource("canteen", "main", {})}))
	decision.allow == false
	decision.obligations == []
}

test_other_actions_have_none if {
	decision := given.decide(given.evaluation("pay", {
		"resource": given.resource("invoice", "i1", {}),
		"roles": {"assigned": ["payer"]},
	}))
	decision.allow
	decision.obligations == []
}
