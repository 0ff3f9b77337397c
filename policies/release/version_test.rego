package assay.release.version_test

import data.assay.release.given_test as given

of(text, parts) := given.version(text, parts)

unnamed := {"family": "grafos", "plain": true}

stated(comment, lowest) := given.verifies({
	"artifact": unnamed,
	"artifact_signature": given.signature({"comment": given.comment(comment)}),
	"recorded": lowest,
})

test_nothing_older_than_what_is_on_record if {
	lowest := {"timestamp": 1700, "version": of("1.4.2", [1, 4, 2])}
	given.refused(stated({"timestamp": 1800, "version": of("1.4.1", [1, 4, 1])}, lowest), "version_rollback")
	given.allowed(stated({"timestamp": 1700, "version": of("1.4.2", [1, 4, 2])}, lowest), "ok")
	given.allowed(stated({"timestamp": 1600, "version": of("1.5.0", [1, 5])}, lowest), "ok")
	given.refused(stated({"timestamp": 1699, "version": of("1.4.2", [1, 4, 2])}, lowest), "version_rollback")
}

test_a_higher_number_is_not_a_higher_text if {
	lowest := {"version": of("1.9", [1, 9])}
	given.allowed(stated({"version": of("1.10", [1, 10])}, lowest), "ok")
}

test_a_pre_release_comes_before_its_release if {
	candidate := {"order": [[2], 0, ["rc", 1]], "text": "2.0-rc.1"}
	second := {"order": [[2], 0, ["rc", 2]], "text": "2.0-rc.2"}
	given.refused(stated({"version": candidate}, {"version": of("2.0", [2])}), "version_rollback")
	given.allowed(stated({"version": of("2.0", [2])}, {"version": candidate}), "ok")
	given.refused(stated({"version": candidate}, {"version": second}), "version_rollback")
}

test_what_was_known_has_to_be_stated if {
	given.refused(stated({"timestamp": 9999}, {"version": of("1.0", [1])}), "version_rollback")
	given.refused(stated({}, {"timestamp": 1}), "version_rollback")
	given.refused(stated({"version": of("1.0", [1])}, {"timestamp": 1, "version": of("1.0", [1])}), "version_rollback")
}

test_what_cannot_be_read_is_refused if {
	given.refused(stated({"unclear": ["version"]}, {}), "version_rollback")
	given.refused(stated({"unclear": ["timestamp"]}, {}), "version_rollback")
}

test_the_policy_may_require_a_version if {
	required := given.data_with({"require": {"file": false, "version": true}})
	given.refused_with(stated({}, {}), required, "version_rollback")
}

test_a_request_may_demand_more if {
	given.refused(given.claims({"minimum": {"version": of("1.5", [1, 5])}}), "version_rollback")
	given.refused(given.claims({"minimum": {"timestamp": 1701}}), "version_rollback")
	given.allowed(given.claims({"minimum": {"timestamp": 1700, "version": of("1.4.2", [1, 4, 2])}}), "ok")
}

listed(version) := given.verifies({
	"artifact": unnamed,
	"sums_signature": given.signature({"comment": given.comment({"version": version})}),
})

test_an_old_artifact_is_no_part_of_a_new_release if {
	given.refused(listed(of("1.4.3", [1, 4, 3])), "version_rollback")
	given.allowed(listed(of("1.4.2", [1, 4, 2])), "ok")
}

test_a_name_does_not_promise_more_than_the_signer if {
	given.refused(given.states({"version": of("1.4.1", [1, 4, 1])}), "version_rollback")
	given.allowed(given.states({"version": {"order": [[1, 4, 2], 0, ["rc", 1]], "text": "1.4.2-rc.1"}}), "ok")
	given.allowed(given.states({"version": of("1.4.3", [1, 4, 3])}), "ok")
}
