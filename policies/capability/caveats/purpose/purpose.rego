package assay.capability.caveats

# METADATA
# title: "purpose: for one of these purposes"
# description: "`operation.purpose` has to be one of them."
holds contains ["purpose", i] if {
	some i, allowed in given.purpose
	operation.purpose in allowed
}
