# METADATA
# title: Decisions of the plugin opa
# description: |
#   The entry point. Who may ask a user's own policies stands in query.rego, who may push documents in write.rego; what those policies
#   answer is no rule of Assay's: it is the decision's output.
package assay.opa

import data.assay.lib.verdict
import data.assay.opa.query
import data.assay.opa.write

# METADATA
# entrypoint: true
decision := object.union(judged, {"output": {"result": query.result}}) if {
	input.request.action == "opa.query"
	judged.allow
} else := judged

judged := verdict.decide({
	"deny": deny,
	"effects": effects,
	"grant": grant,
	"missing": set(),
	"obligations": [],
})

deny contains reason if some reason in query.deny

deny contains reason if some reason in write.deny

grant contains reason if some reason in query.grant

grant contains reason if some reason in write.grant

default effects := []

effects := [write.effect]
