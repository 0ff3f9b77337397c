# METADATA
# title: From reasons to a decision
# description: |
#   The one way in which every plugin's rules become a decision: denied by default, and any denial overrides every grant. Organisation-wide
#   denials (assay.main) are consulted here, so that no plugin can forget them. Reasons come in a fixed order.
package assay.lib.verdict

import data.assay.main

# A decision may carry this many; the first ones in order stay.
max_reasons := 64

# `rules` has five members. Sets of reasons: `deny` refuses; `grant` allows, if nothing refuses; `missing` says why nothing was granted,
# for when there is neither. Arrays: `effects` and `obligations`, which only an allow has.
decide(rules) := {
	"allow": true,
	"effects": rules.effects,
	"obligations": rules.obligations,
	"reasons": in_order(rules.grant),
} if {
	allowed(rules)
} else := {
	"allow": false,
	"effects": [],
	"obligations": [],
	"reasons": in_order(refusals(rules)),
}

allowed(rules) if {
	count(main.deny) == 0
	count(rules.deny) == 0
	count(rules.grant) > 0
}

refusals(rules) := main.deny | rules.deny if {
	count(main.deny) + count(rules.deny) > 0
} else := rules.missing if {
	count(rules.missing) > 0
} else := {{
	"code": "not_permitted",
	"message": "no rule permits this",
	"rule": "assay.lib.verdict.decide",
}}

in_order(reasons) := array.slice(sort(reasons), 0, max_reasons)
