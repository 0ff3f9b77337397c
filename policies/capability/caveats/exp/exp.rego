package assay.capability.caveats

# METADATA
# title: "exp: an earlier end"
# description: "Unix seconds: before that."
holds contains ["exp", i] if {
	some i, end in given.exp
	input.now < end
}
