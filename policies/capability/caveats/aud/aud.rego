package assay.capability.caveats

# METADATA
# title: "aud: at this cell"
# description: "The cell that asks has to be this one."
holds contains ["aud", i] if {
	some i, cell in given.aud
	input.facts.claimed.at == cell
}
