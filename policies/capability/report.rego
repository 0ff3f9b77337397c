# METADATA
# title: A token that was presented to another cell than the one it names
# description: |
#   Both cells keep it on record: the one that it was presented to refuses it and tells the other, once for each token and place; the other
#   hears it from a cell that is enrolled with it, in a signed call.
package assay.capability.report

import data.assay.capability.token
import data.assay.lib.call

report := input.facts.report

refusal := {
	"code": "report_unsigned",
	"message": "only a cell reports, in a signed call",
	"rule": "assay.capability.report.refusal",
} if {
	input.facts.caller.check == "absent"
} else := call.refusal if {
	call.refusal
} else := {
	"code": "report_of_others",
	"message": "a cell reports what was presented to itself",
	"rule": "assay.capability.report.refusal",
} if {
	report.at != input.facts.caller.cell
} else := {
	"code": "report_misdirected",
	"message": "the token is not for a cell of this kernel",
	"rule": "assay.capability.report.refusal",
} if {
	not report.local
} else := {
	"code": "report_known",
	"message": "this was reported before",
	"rule": "assay.capability.report.refusal",
} if {
	report.known
}

# For longer than any token lives, whatever this one says of itself: so that it is told, and heard, once.
kept := input.now + (2 * data.capability.max_ttl)

# The effect of an accepted report.
heard := {
	"at": report.at,
	"handle": report.handle,
	"kind": "capability.hear",
	"until": kept,
}

# The effect of a refusal for its audience, where this kernel can sign for the cell that refuses and the named cell is elsewhere.
alert := {
	"at": input.facts.claimed.at,
	"cell": input.facts.token.aud,
	"handle": input.facts.token.handles[0],
	"key": input.facts.state.elsewhere.custody,
	"kind": "capability.alert",
	"until": kept,
} if {
	token.refusal.code == "audience_mismatch"
	not input.facts.state.cell.local
	not input.facts.state.elsewhere.reported
}
