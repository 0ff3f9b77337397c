# METADATA
# title: Decisions of the plugin capability
# description: |
#   The entry point. Its input is {"facts", "now", "request"}; plugins/capability/README.md lists the facts, the reasons and the effects. A
#   token is refused for one reason, the first one in this order: size and structure, signatures, issuer and audience, time (token.rego), types
#   of caveats (known.rego), revocation, lease and fence (state.rego), caveats (caveats.rego and a folder for each type), proof of possession
#   (proof.rego). What cells tell each other of tokens is decided in report.rego, what is forgotten in sweep.rego.
package assay.capability

import data.assay.capability.caveats
import data.assay.capability.known
import data.assay.capability.proof
import data.assay.capability.report
import data.assay.capability.state
import data.assay.capability.sweep
import data.assay.capability.token
import data.assay.lib.verdict

# METADATA
# entrypoint: true
decision := object.union(decided, {"output": output}) if {
	decided.allow
	uses
} else := object.union(decided, {"effects": [report.alert]}) if {
	not decided.allow
	report.alert
} else := decided

decided := verdict.decide({
	"deny": deny,
	"effects": effects,
	"grant": grant,
	"missing": set(),
	"obligations": [],
})

deny contains refusal

uses if input.request.action == "capability.use"

refusal := {
	"code": "malformed_request",
	"message": "the payload is not what this action expects",
	"rule": "assay.capability.refusal",
} if {
	input.facts.payload.check != "valid"
} else := use_refusal if {
	uses
} else := report.refusal if {
	input.request.action == "capability.report"
} else := sweep.refusal if {
	input.request.action == "capability.sweep"
}

use_refusal := token.refusal if {
	token.refusal
} else := known.refusal if {
	known.refusal
} else := state.refusal if {
	state.refusal
} else := caveats.refusal if {
	caveats.refusal
} else := proof.refusal

# None, rather than undefined, where no type counts.
costs := {cost | some cost in caveats.spends}

effects := sort(costs | proof.seen) if {
	uses
} else := [report.heard] if {
	input.request.action == "capability.report"
} else := [sweep.forget] if {
	input.request.action == "capability.sweep"
} else := []

grant := {{
	"code": "token_accepted",
	"message": "the token permits this operation",
	"rule": "assay.capability.grant",
}} if {
	uses
} else := {{
	"code": "report_heard",
	"message": "a token for this cell was presented elsewhere",
	"rule": "assay.capability.grant",
}} if {
	input.request.action == "capability.report"
} else := {{
	"code": "due",
	"message": "what these records are for is over",
	"rule": "assay.capability.grant",
}}

output := {
	"expires": input.facts.token.exp,
	"generation": input.facts.token.gen,
	"lease": input.facts.token.lease,
	"tenant": input.facts.token.tenant,
	"token": input.facts.token.handles[0],
}
