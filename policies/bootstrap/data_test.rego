# What must hold for data.json, whatever a security team writes into it.
package assay.bootstrap.data_test

import data.bootstrap

test_nodes_talk_to_the_control_plane_over_tls if startswith(bootstrap.control_plane, "https://")

test_nobody_unknown_publishes if {
	every entry in bootstrap.may {
		entry.kind != "anonymous"
	}
	not "anonymous" in bootstrap.may_override
}

test_tokens_do_not_live_for_ever if {
	bootstrap.max_ttl <= 2592000
	bootstrap.default_ttl <= bootstrap.max_ttl
}
