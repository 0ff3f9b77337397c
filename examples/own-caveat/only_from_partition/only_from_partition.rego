package assay.capability.caveats

# METADATA
# title: "only_from_partition: from this partition"
# description: "`operation.partition` has to be this one."
holds contains ["only_from_partition", i] if {
	some i, partition in given.only_from_partition
	operation.partition == partition
}
