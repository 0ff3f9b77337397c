package assay.capability.caveats

# METADATA
# title: "max_bytes: the size of one operation"
# description: "`operation.bytes` is at most so many."
holds contains ["max_bytes", i] if {
	some i, most in given.max_bytes
	whole(operation.bytes)
	operation.bytes <= most
}
