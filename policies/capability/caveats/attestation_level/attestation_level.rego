package assay.capability.caveats

# METADATA
# title: "attestation_level: attested at least so well"
# description: "`operation.attestation_level`, as the enforcement point has verified it, is no less."
holds contains ["attestation_level", i] if {
	some i, least in given.attestation_level
	whole(operation.attestation_level)
	operation.attestation_level >= least
}
