package assay.task.ingest_test

import data.assay.task.given_test as given

test_a_set_in_order_is_taken if {
	given.allowed(given.ingests({}), "set_taken") == [{
		"digest": "d",
		"document": given.set_document,
		"kind": "task.take",
	}]
	every newness in ["first", "next", "skipped"] {
		given.allowed(given.ingests({"newness": newness}), "set_taken")
	}
}

test_a_root_has_to_sign if {
	given.refused(given.ingests_signed("unknown", {}), "key_unknown")
	given.refused(given.ingests_signed("invalid", {}), "signature_invalid")
	given.refused(given.ingests_signed("absent", {}), "signature_invalid")
	given.refused(given.asks("task.ingest", {"envelope": {"check": "malformed", "type": ""}}), "malformed")
	given.refused(given.ingests({"check": "malformed"}), "malformed")
}

test_a_set_is_about_keys_for_tasks if given.refused(given.ingests({"scope": "release-signing"}), "scope_mismatch")

test_keys_are_what_they_are_called if {
	given.refused(given.ingests({"misnamed": ["a"]}), "kid_mismatch")
	given.refused(given.ingests({"weak": ["a"]}), "weak_key")
}

test_versions_grow if {
	given.refused(given.ingests({"newness": "older"}), "verifier_set_rollback")
	given.refused(given.ingests({"newness": "same"}), "not_newer")
	given.refused(given.ingests({"newness": "different"}), "equivocation")
}

test_one_key_is_active if {
	given.refused(given.ingests({"active": []}), "no_active_key")
	given.refused(given.ingests({"active": ["a", "b"]}), "more_than_one_active")
}

test_a_key_is_published_before_it_is_active if {
	given.refused(given.ingests({"unpublished": ["a"]}), "activated_without_publication")
	given.allowed(given.ingests({"emergency": true, "unpublished": ["a"]}), "set_taken")
	given.allowed(given.ingests({"newness": "skipped", "unpublished": ["a"]}), "set_taken")
	given.allowed(given.ingests({"newness": "first", "unpublished": ["a"]}), "set_taken")
}

test_grace_has_an_end_and_revocation_none if {
	given.refused(given.ingests({"endless": ["a"]}), "grace_without_end")
	given.refused(given.ingests({"reactivated": ["a"]}), "revoked_key_reactivated")
}
