package assay.capability.caveats

# METADATA
# title: "daily_window: between two times of day"
# description: "In minutes since midnight, UTC; `until` is not in it any more. `days`, where given, are the days of the week, Monday is 1. A window over midnight is two tokens."
holds contains ["daily_window", i] if {
	some i, window in given.daily_window
	minute := floor(input.now / 60) % 1440
	window.from <= minute
	minute < window.until
	daily_window_today in object.get(window, "days", [daily_window_today])
}

# Monday is 1, Sunday is 7; the epoch began on a Thursday.
daily_window_today := ((floor(input.now / 86400) + 3) % 7) + 1
