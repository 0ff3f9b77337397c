package assay.task.sign_test

import data.assay.task.given_test as given

test_a_task_is_signed_with_the_version_that_is_active if {
	given.allowed(given.sends({}), "signed") == [{
		"key": "task",
		"key_version": 2,
		"kid": "0011223344556677",
		"kind": "task.sign",
		"node_id": "edge-1",
		"params": {"name": "driver"},
		"ttl": 600,
		"type": "node.install-package",
		"version": 1,
	}]
	given.allowed(given.sends({"ttl": 3600}), "signed")[0].ttl == 3600
}

test_no_task_lives_for_longer_than_nodes_take if given.refused(given.sends({"ttl": 3601}), "ttl_exceeds_max")

test_senders_have_types_and_nodes if {
	rollout := given.service("rollout")
	given.allowed(given.from(rollout, given.sends({})), "signed")
	given.refused(given.from(rollout, given.sends({"node_id": "core-1"})), "sender_not_permitted")
	given.refused(given.from(rollout, given.sends({"type": "node.reboot"})), "sender_not_permitted")
	given.refused(given.from(given.service("other"), given.sends({})), "sender_not_permitted")
}

test_what_no_node_would_read_is_not_signed if {
	unknown := object.union(given.sends({}), {"facts": {"type": {"fits": false, "known": false}}})
	given.refused(unknown, "task_type_unknown")
	unfit := object.union(given.sends({}), {"facts": {"type": {"fits": false, "known": true}}})
	given.refused(unfit, "params_mismatch")
}

with_key(members) := object.union(given.sends({}), {"facts": {"key": members}})

test_what_the_key_may_is_asked_before_custody if {
	given.refused(with_key({"managed": false, "version": 0}), "key_not_managed")
	given.refused(with_key({"version": 0}), "signing_key_not_active")
	given.refused(with_key({"scope": "cell"}), "purpose_not_allowed")
	lenient := given.replace_members(given.policy_data, {"require_managed_key": false})
	given.allowed_with(with_key({"managed": false, "version": 0}), lenient, "signed")
}
