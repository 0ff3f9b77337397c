# METADATA
# title: Decisions of the plugin release
# description: |
#   The entry point. Its input is {"facts", "now", "request"}; plugins/release/README.md lists the facts, the reasons and the effects. What
#   makes a release stands in verify.rego and version.rego, which keys may sign one in keys.rego and signature.rego. A refusal has one reason.
package assay.release

import data.assay.lib.verdict
import data.assay.release.keys
import data.assay.release.reasons
import data.assay.release.verify

# METADATA
# entrypoint: true
decision := object.union(decided, {"output": verify.output}) if {
	readable
	verifying
} else := decided

decided := verdict.decide({
	"deny": deny,
	"effects": effects,
	"grant": {grant},
	"missing": set(),
	"obligations": [],
})

readable if input.facts.payload.check == "valid"

verifying if input.request.action == "release.verify"

permitted if {
	some kind in data.release.peers[input.request.action]
	kind in {"*", input.request.peer.kind}
}

deny := {reasons.named("malformed_request", "assay.release.deny")} if {
	not readable
} else := {reasons.named("not_allowed_here", "assay.release.deny")} if {
	not permitted
} else := {refusal} if {
	refusal
} else := set()

refusal := verify.refusal if {
	verifying
} else := keys.refusal if {
	not verifying
}

grant := reasons.named("ok", "assay.release.grant") if {
	verifying
} else := keys.grant

default effects := []

effects := verify.effects if {
	verifying
} else := keys.effects if {
	not verifying
}
