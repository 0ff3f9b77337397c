package assay.capability.caveats

# METADATA
# title: "resource: this resource"
# description: "`operation.resource` has to be this one."
holds contains ["resource", i] if {
	some i, wanted in given.resource
	operation.resource == wanted
}
