package assay.capability.caveats

# METADATA
# title: "time_window: from one instant until another"
# description: "Unix seconds; `until` is not in it any more."
holds contains ["time_window", i] if {
	some i, window in given.time_window
	window.from <= input.now
	input.now < window.until
}
