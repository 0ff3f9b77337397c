package assay.capability.caveats

# METADATA
# title: "session: in this session"
# description: "`operation.session` has to be this one."
holds contains ["session", i] if {
	some i, wanted in given.session
	operation.session == wanted
}
