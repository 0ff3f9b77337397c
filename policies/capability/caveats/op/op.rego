package assay.capability.caveats

# METADATA
# title: "op: the operations that are allowed"
# description: "A list of names; `operation.op` has to be one of them."
holds contains ["op", i] if {
	some i, allowed in given.op
	operation.op in allowed
}
