package assay.capability.resource_test

import data.assay.capability.given_test as given

test_it_is_the_operation_s_resource if {
	given.permits("resource", "gpu-0", {})
	given.denies("resource", "gpu-1", {})
}

# The token's own resource is narrower than what a block says.
test_it_cannot_be_another_than_the_token_s if {
	given.refused(given.with_caveat("resource", "gpu-1", {"resource": "gpu-1"}), "resource_mismatch")
}

test_it_is_a_name if {
	given.malformed("resource", ["", 1, null, ["gpu-0"]])
}
