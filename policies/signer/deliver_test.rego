package assay.signer.deliver_test

import data.assay.signer.given_test as given

puller := {"id": "puller", "kind": "service"}

recipient := "recipient"

id := "0190-1"

secret(versions) := given.key(versions, {"algorithm": "opaque", "scope": "secret", "set": {"name": "", "root": ""}})

two := secret([given.grace(1), given.active(2), given.fresh(3)])

says(members) := given.says(object.union({"scope": "secret"}, members))

record(members) := object.union(
	{
		"decision": id,
		"expires_at": given.now + 60,
		"failed": "",
		"name": "task",
		"peer": puller,
		"recipient": recipient,
		"sealed": "",
		"version": 2,
	},
	members,
)

known(members) := {"delivery": {"count": 0, "expired": [], "known": [record(members)]}}

delivers(peer, members, changes) := given.asks(peer, "deliver", array.concat([says(object.union({"recipient": recipient}, members)), two], changes))

delivered(members, changes) := given.asks(given.outbox, "delivered", array.concat([says(object.union({"delivery": id, "version": 2}, members)), two], changes))

fetches(peer, changes) := given.asks(peer, "fetch", array.concat([says({"delivery": id}), two], changes))

sealing(version, peer) := [{
	"expires_at": given.now + 60,
	"kind": "signer.seal",
	"name": "task",
	"peer": peer,
	"recipient": recipient,
	"version": version,
}]

test_the_active_version_is_delivered_and_one_in_grace_by_number if {
	given.allowed(delivers(puller, {}, []), "delivery_begun") == sealing(2, puller)
	given.allowed(delivers(puller, {"version": 1}, []), "delivery_begun") == sealing(1, puller)
	given.allowed(delivers(given.node, {"version": 2}, []), "delivery_begun") == sealing(2, given.node)
}

test_who_is_named_gets_secrets_and_nobody_else if {
	given.refused(delivers(given.operator, {}, []), "peer_not_permitted")
	given.refused(delivers(object.union(puller, {"id": "other"}), {}, []), "peer_not_permitted")
	given.refused(delivers(puller, {"name": "other"}, []), "peer_not_permitted")
	given.refused(fetches(given.operator, [known({"peer": given.operator, "sealed": "AA"})]), "peer_not_permitted")
}

test_what_is_not_delivered if {
	given.refused(delivers(puller, {}, [{"key": {"known": []}}]), "unknown_key")
	given.refused(delivers(puller, {}, [secret([given.grace(1)])]), "no_active_key")
	given.refused(delivers(puller, {"version": 9}, []), "unknown_version")
	given.refused(delivers(puller, {"version": 3}, []), "not_deliverable")
	given.refused(delivers(puller, {"version": 1}, [secret([given.revoked(1)])]), "not_deliverable")
	over := given.version(1, "grace", {"grace_until": given.now})
	given.refused(delivers(puller, {"version": 1}, [secret([over])]), "not_deliverable")
	full := {"delivery": {"count": 500, "expired": [], "known": []}}
	given.refused(delivers(puller, {}, [full]), "too_many_deliveries")
}

test_what_custody_sealed_is_kept_for_who_asked if {
	effects := given.allowed(delivered({"sealed": "AA"}, [known({})]), "sealed")
	effects == [{"delivery": record({"sealed": "AA"}), "kind": "signer.sealed"}]
	failed := given.allowed(delivered({"failed": "weak_key"}, [known({})]), "seal_failed")
	failed == [{"delivery": record({"failed": "weak_key"}), "kind": "signer.sealed"}]
}

test_nobody_waits_for_what_was_overtaken if {
	sealed := {"sealed": "AA"}
	given.refused(delivered(sealed, []), "delivery_not_due")
	given.refused(delivered({}, [known({})]), "delivery_not_due")
	given.refused(delivered({"failed": "weak_key", "sealed": "AA"}, [known({})]), "delivery_not_due")
	given.refused(delivered(sealed, [known({"version": 1})]), "delivery_not_due")
	given.refused(delivered(sealed, [known({"name": "other"})]), "delivery_not_due")
	given.refused(delivered(sealed, [known(sealed)]), "delivery_not_due")
	given.refused(delivered(sealed, [known({"failed": "weak_key"})]), "delivery_not_due")
	given.refused(delivered(sealed, [known({"expires_at": given.now})]), "delivery_not_due")
	given.refused(delivered(sealed, [known({}), secret([given.revoked(2)])]), "delivery_not_due")
	given.refused(given.asks(given.deployer, "delivered", [says(sealed)]), "peer_not_permitted")
}

test_who_asked_gets_it if {
	effects := given.allowed(fetches(puller, [known({"sealed": "AA"})]), "delivered")
	effects == [{"decision": id, "kind": "signer.hand"}]
}

test_what_is_not_handed_over if {
	given.refused(fetches(puller, []), "unknown_delivery")
	given.refused(fetches(given.node, [known({"sealed": "AA"})]), "unknown_delivery")
	given.refused(fetches(puller, [known({"name": "other", "sealed": "AA"})]), "unknown_delivery")
	given.refused(fetches(puller, [known({"expires_at": given.now, "sealed": "AA"})]), "unknown_delivery")
	given.refused(fetches(puller, [known({"sealed": "AA"}), secret([given.revoked(2)])]), "not_deliverable")
	given.refused(fetches(puller, [known({})]), "delivery_pending")
	given.refused(fetches(puller, [known({"failed": "weak_key"})]), "delivery_failed")
}

expires(expired) := given.asks(given.rotation, "expire", [
	says({"scope": "none"}),
	{"delivery": {"count": 3, "expired": expired, "known": []}},
])

test_what_nobody_fetched_goes if {
	given.allowed(expires([id]), "expired") == [{"deliveries": [id], "kind": "signer.expire"}]
	given.refused(expires([]), "nothing_expired")
}
