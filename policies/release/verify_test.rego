package assay.release.verify_test

import data.assay.release.given_test as given

test_a_release_is_accepted_and_goes_on_record if {
	decision := given.decide(given.verifies({}))
	decision.allow
	given.codes(decision) == ["ok"]
	decision.effects == [{
		"family": "grafos-*.tar.gz",
		"kind": "release.record",
		"lineage": given.first_id,
		"timestamp": 1700,
		"version": "1.4.2",
	}]
	decision.output == {
		"checks": [{"ok": true, "what": link} | some link in [
			"sums_signature",
			"artifact_signature",
			"digest_entry",
			"digest",
			"trusted_comment_file",
			"version",
		]],
		"family": "grafos-*.tar.gz",
		"key_id": given.first_id,
		"stated": {"timestamp": 1700, "version": "1.4.2"},
	}
}

test_the_chain_is_told_as_far_as_it_was_followed if {
	decision := given.decide(given.verifies({"artifact_signature": {"check": "absent"}}))
	decision.output == {"checks": [{"ok": true, "what": "sums_signature"}, {"ok": false, "what": "artifact_signature"}]}
}

test_the_first_problem_is_the_reason if {
	nothing := given.asks("release.verify", {})
	given.refused(nothing, "sums_missing")
}

test_both_signatures_are_of_one_lineage if {
	other := {"key_id": given.second_id, "lineage": given.second_id, "public_key": "o", "since": 0, "state": "active"}
	given.refused(given.verifies({"artifact_signature": given.signature({"pin": other})}), "key_id_mismatch")
	given.allowed(given.verifies({"artifact_signature": given.signature({"pin": given.successor})}), "ok")
}

test_a_request_that_names_keys_gets_no_other if {
	claimed := object.union(given.facts.claimed, {"keys": ["first"]})
	given.allowed(given.verifies({"claimed": claimed, "lineages": [given.first_id]}), "ok")
	given.refused(given.verifies({"claimed": claimed, "lineages": [given.second_id]}), "key_id_mismatch")
	given.refused(given.verifies({"claimed": claimed, "lineages": []}), "key_id_mismatch")
}

lines(digests) := given.verifies({"sums": {"digests": digests, "present": true}})

test_exactly_one_line_is_about_the_artifact if {
	given.refused(lines([]), "digest_entry_missing")
	given.refused(lines([given.sha256, given.sha256]), "digest_entry_ambiguous")
	given.refused(lines(["cc"]), "digest_mismatch")
}

test_a_name_with_a_path_has_no_line if {
	given.refused(given.verifies({"artifact": {"family": "x", "plain": false}}), "digest_entry_missing")
}

test_the_trusted_comment_names_this_file if {
	given.refused(given.states({"file": "grafos-1.4.2.tar.xz"}), "trusted_comment_file_mismatch")
	given.refused(given.states({"unclear": ["file"]}), "trusted_comment_file_mismatch")
	given.allowed(given.states({}), "ok")
}

listing(file) := given.verifies({"sums_signature": given.signature({"comment": given.comment({"file": file})})})

test_a_signature_of_another_file_makes_no_listing if {
	given.refused(listing("MD5SUMS"), "trusted_comment_file_mismatch")
	given.allowed(listing("SHA256SUMS"), "ok")
}

test_the_policy_may_require_the_file if {
	required := given.data_with({"require": {"file": true, "version": false}})
	given.refused_with(given.states({}), required, "trusted_comment_file_mismatch")
}

by_successor(state) := given.verifies({
	"artifact_signature": given.signature({"pin": given.successor}),
	"key": object.union(given.no_key, {"pin": object.union(given.in_grace(given.now + 5), {"state": state})}),
})

retired := {"key_id": given.first_id, "kind": "release.state", "state": "retired"}

test_the_first_release_of_a_successor_ends_the_grace if {
	retired in given.decide(by_successor("grace")).effects
	not retired in given.decide(by_successor("retired")).effects
	kept := given.data_with({"drop_after_release": false})
	not retired in given.decide_with(by_successor("grace"), kept).effects
}

test_what_states_nothing_is_not_recorded if {
	nothing := given.states({})
	given.decide(nothing).effects == []
}
