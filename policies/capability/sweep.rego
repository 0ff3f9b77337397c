# METADATA
# title: What is forgotten
# description: |
#   Counters, nonces and reports whose time is over. The plugin finds them; here stands that they are, and who may have them removed.
package assay.capability.sweep

refusal := {
	"code": "not_sweeper",
	"message": "only the kernel itself and its operator remove records",
	"rule": "assay.capability.sweep.refusal",
} if {
	not sweeper
} else := {
	"code": "nothing_due",
	"message": "no record here is over",
	"rule": "assay.capability.sweep.refusal",
} if {
	count(due) == 0
}

sweeper if input.request.peer.kind in data.capability.sweepers

due := [record.key |
	some record in input.facts.sweep.records
	record.until < input.now
]

# The effect.
forget := {"keys": due, "kind": "capability.forget"}
