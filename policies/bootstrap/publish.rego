# METADATA
# title: What nodes trust, and how that changes
# description: |
#   A new anchor is announced as `next`, which nodes trust already; it becomes `current` when every node has acknowledged that, or when
#   somebody who may says why not; the old one stays as `retiring` for as long as it is needed, and is then taken out. What is trusted for one
#   purpose is never trusted for another.
package assay.bootstrap.publish

facts := input.facts

change := facts.change

problem := "anchor_in_other_trust" if {
	count(change.shared) > 0
} else := "anchor_altered" if {
	count(change.altered) > 0
} else := "anchor_not_announced" if {
	count(change.early) > 0
} else := "anchor_in_use" if {
	count(change.dropped_current) > 0
} else := "no_current_anchor" if {
	count(change.current) == 0
} else := "nodes_lag" if {
	early
	not overridden
} else := "ok"

early if {
	count(change.promoted) > 0
	count(facts.trust.lagging) > 0
}

overridden if {
	facts.claimed.reason != ""
	input.request.peer.kind in data.bootstrap.may_override
}

granted := "published_early" if {
	early
} else := "published"

effects := [{
	"anchors": facts.claimed.anchors,
	"key_version": facts.key.version,
	"kid": facts.key.kid,
	"kind": "bootstrap.publish",
	"trust": facts.claimed.trust,
	"version": facts.trust.version + 1,
}]

acknowledge_problem := "ok" if {
	facts.node.known
	facts.claimed.version <= facts.trust.version
	facts.claimed.version >= facts.node.acknowledged
} else := "acknowledgement_impossible"

acknowledge := [{
	"kind": "bootstrap.acknowledge",
	"node_id": facts.claimed.node_id,
	"trust": facts.claimed.trust,
	"version": facts.claimed.version,
}]
