package assay.signer.gate_test

import data.assay.signer.given_test as given

activates(peer, changes) := given.asks(peer, "activate", changes)

two := given.key([given.active(1), given.waiting(2)], {})

second := given.says({"version": 2})

lags(version) := {"verifiers": {"count": 1, "known": [given.verifier(version)]}}

anyway := given.says({"override": "the node is gone", "version": 2})

test_a_version_waits_for_every_verifier if {
	given.refused(activates(given.operator, [two, second, lags(1)]), "not_acknowledged")
	effects := given.allowed(activates(given.operator, [two, second, lags(2)]), "activation_begun")
	given.stored(effects).pending == given.pending(2)
	given.moved(effects) == [[2, "active"]]
	not given.told(effects)
}

test_a_version_is_published_first if {
	given.refused(activates(given.operator, [given.key([given.active(1), given.fresh(2)], {}), second]), "not_published")
}

test_the_first_version_has_nobody_to_wait_for if {
	first := given.key([given.fresh(2)], {"set_version": 0})
	given.allowed(activates(given.operator, [first, second]), "activation_begun")
	given.allowed(activates(given.operator, [first, second, lags(0)]), "activation_begun")
}

test_an_override_goes_on_and_says_so if {
	effects := given.allowed(activates(given.operator, [two, anyway, lags(1)]), "overridden")
	given.stored(effects).pending == {"emergency": true, "rollback_of": 0, "version": 2}
	unneeded := given.allowed(activates(given.operator, [two, anyway, lags(2)]), "activation_begun")
	not given.stored(unneeded).pending.emergency
}

test_not_everybody_overrides if {
	given.refused(activates(given.deployer, [two, anyway, lags(1)]), "override_not_permitted")
	given.allowed(activates(given.deployer, [two, second, lags(2)]), "activation_begun")
}

test_a_secret_waits_for_its_consumers if {
	secret := {"scope": "secret", "set": {"name": "", "root": ""}, "set_version": 0}
	next := given.key([given.active(1), given.fresh(2)], secret)
	consumed := given.says({"scope": "secret", "version": 2})
	given.allowed(activates(given.operator, [next, consumed]), "activation_begun")
	given.refused(activates(given.operator, [next, consumed, lags(1)]), "not_acknowledged")
	given.allowed(activates(given.operator, [next, consumed, lags(2)]), "activation_begun")
	over := given.says({"override": "the node is gone", "scope": "secret", "version": 2})
	given.allowed(activates(given.operator, [next, over, lags(1)]), "overridden")
}

test_a_key_without_a_set_has_verifiers_that_nobody_knows_of if {
	set := {"set": {"name": "", "root": ""}, "set_version": 0}
	given.allowed(activates(given.operator, [given.key([given.fresh(2)], set), second]), "activation_begun")
	next := given.key([given.active(1), given.fresh(2)], set)
	given.refused(activates(given.operator, [next, second]), "verifiers_unknown")
	given.allowed(activates(given.operator, [next, anyway]), "overridden")
}
