package assay.capability.caveats

# METADATA
# title: "program: this program"
# description: "`operation.program` has to be this SHA-256, as `sha256:` and 64 hex digits."
holds contains ["program", i] if {
	some i, wanted in given.program
	operation.program == wanted
}
