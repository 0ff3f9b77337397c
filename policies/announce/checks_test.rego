package assay.announce.checks_test

import data.assay.announce.given_test as given

failing(check) := given.asks(given.nobody, "announce.receive", {"message": {"check": check}})

test_each_check_has_its_own_reason if {
	every check in [
		"duplicate_key", "inflate_failed", "inflated_too_large", "invalid_utf8", "lone_surrogate", "malformed",
		"malformed_body", "not_canonical", "not_json", "number_range", "signature_invalid", "signer_unknown",
		"too_deep", "too_large", "unknown_flags", "unknown_member", "unknown_type", "unsigned", "weak_key",
	] {
		given.refused(failing(check), check)
	}
	given.refused(failing("absent"), "message_absent")
}

test_the_checks_of_the_bytes_come_before_everything_that_a_message_says if {
	facts := {"message": {"check": "unsigned"}, "signer": given.controller}
	given.refused(given.asks(given.nobody, "announce.receive", facts), "unsigned")
}
