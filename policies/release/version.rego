# METADATA
# title: No release older than one that was seen
# description: |
#   What the trusted comment states is held against the newest release on record, against what the request demands, against the version
#   that SHA256SUMS states, and against the one in the artifact's name. A higher version is newer whatever its time; else the time counts.
package assay.release.version

comment := input.facts.artifact_signature.comment

floors contains input.facts.recorded

floors contains input.facts.claimed.minimum

# Of the listing only the version: its signature is the later one. Its digest binds an artifact that states none.
floors contains {"version": input.facts.sums_signature.comment.version} if comment.version

# A name has no pre-release: 1.5.0-rc.1 is not older than the file grafos-1.5.0.tar.gz says.
floors contains {"version": {"order": [named.order[0], 0, []], "text": named.text}} if {
	named := input.facts.artifact.named
	comment.version
}

rollback if {
	some field in comment.unclear
	field in {"timestamp", "version"}
}

rollback if {
	data.release.require.version
	not comment.version
}

rollback if {
	some lowest in floors
	below(lowest)
}

below(lowest) if {
	lowest.version
	not comment.version
}

below(lowest) if comment.version.order < lowest.version.order

below(lowest) if {
	not newer(lowest)
	lowest.timestamp
	not comment.timestamp
}

below(lowest) if {
	not newer(lowest)
	comment.timestamp < lowest.timestamp
}

newer(lowest) if comment.version.order > lowest.version.order

# What goes on record.
stated["version"] := comment.version.text

stated["timestamp"] := comment.timestamp
