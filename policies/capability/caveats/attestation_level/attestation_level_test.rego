package assay.capability.attestation_level_test

import data.assay.capability.given_test as given

test_it_is_no_less if {
	given.permits("attestation_level", 2, {"attestation_level": 2})
	given.permits("attestation_level", 2, {"attestation_level": 3})
	given.denies("attestation_level", 2, {"attestation_level": 1})
}

test_a_level_is_a_number_and_known if {
	given.denies("attestation_level", 0, {})
	given.denies("attestation_level", 1, {"attestation_level": "high"})
	given.denies("attestation_level", 1, {"attestation_level": true})
}

test_it_is_a_level if {
	given.malformed("attestation_level", ["high", -1, 11, 1.5, null])
}
