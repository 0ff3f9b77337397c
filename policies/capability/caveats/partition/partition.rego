package assay.capability.caveats

# METADATA
# title: "partition: in one of these partitions"
# description: "`operation.partition` has to be one of them."
holds contains ["partition", i] if {
	some i, allowed in given.partition
	operation.partition in allowed
}
