package assay.capability.caveats

# METADATA
# title: "parent_workload: on behalf of this workload"
# description: "`operation.parent_workload` has to be this one."
holds contains ["parent_workload", i] if {
	some i, wanted in given.parent_workload
	operation.parent_workload == wanted
}
