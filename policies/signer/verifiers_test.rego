package assay.signer.verifiers_test

import data.assay.signer.given_test as given

key := given.key([given.active(1)], {})

known(acknowledged) := {"verifier": {"known": [given.verifier(acknowledged)]}}

registers(changes) := given.asks(given.operator, "register", array.concat([given.says({"peer": given.node, "verifier": "node-7"})], changes))

acknowledges(peer, version, changes) := given.asks(peer, "acknowledge", array.concat([given.says({"verifier": "node-7", "version": version})], changes))

kept(acknowledged) := [{
	"kind": "signer.verifier",
	"name": "task",
	"scope": "task",
	"verifier": given.verifier(acknowledged),
}]

test_a_verifier_is_registered_with_who_speaks_for_it if {
	given.allowed(registers([key]), "registered") == kept(0)
	given.allowed(registers([key, known(3)]), "unchanged") == []
	other := {"verifier": {"known": [object.union(given.verifier(3), {"peer": {"id": "other"}})]}}
	given.allowed(registers([key, other]), "registered") == kept(3)
}

test_who_is_not_registered if {
	given.refused(registers([]), "unknown_key")
	given.refused(registers([given.key([], {"set": {"name": "", "root": ""}})]), "no_set")
	full := {"verifiers": {"count": 1000, "known": []}}
	given.refused(registers([key, full]), "too_many_verifiers")
	given.allowed(registers([key, full, known(3)]), "unchanged")
}

test_a_verifier_goes if {
	leaves := given.says({"verifier": "node-7"})
	effects := given.allowed(given.asks(given.operator, "unregister", [leaves, known(3)]), "unregistered")
	effects == [{"kind": "signer.forget", "name": "task", "scope": "task", "verifier": "node-7"}]
	given.refused(given.asks(given.operator, "unregister", [leaves]), "unknown_verifier")
}

test_a_verifier_speaks_for_itself if {
	given.allowed(acknowledges(given.node, 4, [known(3)]), "acknowledged") == kept(4)
	given.allowed(acknowledges(given.operator, 4, [known(3)]), "acknowledged") == kept(4)
	given.refused(acknowledges({"id": "node-8", "kind": "node"}, 4, [known(3)]), "peer_not_permitted")
	given.refused(acknowledges(given.node, 4, []), "peer_not_permitted")
	given.refused(acknowledges(given.operator, 4, []), "unknown_verifier")
}

test_what_a_verifier_says_does_not_go_down if {
	given.allowed(acknowledges(given.node, 3, [known(3)]), "unchanged") == []
	given.refused(acknowledges(given.node, 5, [known(3)]), "unknown_set_version")
}

reads(have, changes) := given.asks(given.nobody, "set", array.concat([given.says({"have": have})], changes))

test_anyone_reads_the_newest_set if {
	given.allowed(reads(0, []), "newest") == [{"kind": "signer.show", "name": "task", "scope": "task"}]
	given.allowed(reads(4, []), "unchanged") == []
	given.refused(reads(5, []), "have_is_newer")
	given.refused(reads(0, [{"set": {"version": 0}}]), "no_set")
}

test_an_operator_sees_what_is_known if {
	effects := given.allowed(given.asks(given.operator, "status", [key, {"verifiers": {"count": 1, "known": [given.verifier(3)]}}]), "told")
	effects == [{"kind": "signer.tell", "status": {"key": key.key.known[0], "verifiers": [given.verifier(3)]}}]
	given.refused(given.asks(given.operator, "status", []), "unknown_key")
	listed := given.allowed(given.asks(given.operator, "list", [{"keys": [{"name": "task", "scope": "task"}]}]), "told")
	listed == [{"kind": "signer.tell", "status": {"keys": [{"name": "task", "scope": "task"}]}}]
}

test_who_uses_a_secret_acknowledges_its_versions if {
	secret := given.key([given.active(1), given.fresh(2)], {"scope": "secret", "set": {"name": "", "root": ""}})
	given.allowed(registers([secret]), "registered") == kept(0)
	given.allowed(acknowledges(given.node, 2, [secret, known(0), {"set": {"version": 0}}]), "acknowledged") == kept(2)
	given.refused(acknowledges(given.node, 3, [secret, known(0)]), "unknown_set_version")
	empty := given.key([], {"scope": "secret", "set": {"name": "", "root": ""}})
	given.refused(acknowledges(given.node, 1, [empty, known(0)]), "unknown_set_version")
}
