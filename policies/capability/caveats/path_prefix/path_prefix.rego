package assay.capability.caveats

# METADATA
# title: "path_prefix: below one of these paths"
# description: "Segment by segment: `/a` has `/a` and `/a/b` below it, not `/ab`. Paths are absolute and hold no dot segments."
holds contains ["path_prefix", i] if {
	some i, prefixes in given.path_prefix
	path_prefix_plain(operation.path)
	some prefix in prefixes
	path_prefix_plain(prefix)
	startswith(sprintf("%s/", [trim_right(operation.path, "/")]), sprintf("%s/", [trim_right(prefix, "/")]))
}

# Absolute, and whoever resolves it comes to the same place: no empty, `.` or `..` segments, in no spelling that a later decoder may turn
# into one: percent-encoded once or twice, too long for UTF-8 (%c0, %c1), or with parameters (`..;x`).
path_prefix_plain(path) if {
	startswith(path, "/")
	segments := split(trim_right(path, "/"), "/")
	count([segment | some segment in segments; segment in {"", ".", ".."}]) == 1
	not regex.match(`//$|[\\\x00-\x1f\x7f]|%(?:[01]|2[5eEfF]|5[cC]|7[fF]|[cC][01])|/\.{1,2};`, path)
}
