# METADATA
# title: Decisions of the plugin access
# description: |
#   The entry point. Its input is {"facts", "now", "request"}; plugins/access/README.md lists the facts, the reasons and the effects.
#   Evaluations are decided in evaluate.rego, changes of state in admin.rego; policies/main.rego can refuse both.
package assay.access

import data.assay.access.admin
import data.assay.access.evaluate
import data.assay.lib.verdict

# METADATA
# entrypoint: true
decision := verdict.decide({
	"deny": deny,
	"effects": effects,
	"grant": grant,
	"missing": missing,
	"obligations": [],
})

asks := "nothing" if {
	input.facts.payload.check != "valid"
} else := "evaluation" if {
	input.request.action == "access.evaluate"
} else := "change"

deny contains {
	"code": "malformed_request",
	"message": "the payload is not what this action expects",
	"rule": "assay.access.deny",
} if {
	asks == "nothing"
}

deny contains reason if {
	asks == "evaluation"
	some reason in evaluate.deny
}

deny contains reason if {
	asks == "change"
	some reason in admin.deny
}

grant contains reason if {
	asks == "evaluation"
	some reason in evaluate.grant
}

grant contains reason if {
	asks == "change"
	some reason in admin.grant
}

missing contains reason if {
	asks == "evaluation"
	some reason in evaluate.missing
}

default effects := []

effects := [admin.effect] if asks == "change"
