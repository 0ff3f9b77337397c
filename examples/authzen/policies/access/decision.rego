# METADATA
# title: The AuthZEN interoperability scenarios
# description: |
#   One file for each scenario. They share subject and resource names, so the attributes in state.json are scoped by scenario, and a rule
#   looks only at its own. All but `cert` decide on state alone.
package assay.access

import data.assay.access.cert
import data.assay.access.gateway
import data.assay.access.idp
import data.assay.access.search
import data.assay.access.seed
import data.assay.access.todo
import data.assay.lib.verdict

# METADATA
# entrypoint: true
decision := verdict.decide({
	"deny": deny,
	"effects": effects,
	"grant": grant,
	"missing": set(),
	"obligations": [],
})

# METADATA
# title: What an action search asks about
# description: It has no input. An action that is missing here is never found, whatever permits it.
# entrypoint: true
actions := union({cert.actions, gateway.actions, idp.actions, search.actions, todo.actions})

deny contains {
	"code": "malformed_request",
	"message": "the payload is not what this action expects",
	"rule": "assay.access.deny",
} if {
	not valid
}

valid if input.facts.payload.check == "valid"

evaluation if {
	valid
	input.request.action == "access.evaluate"
}

grant contains reason if {
	evaluation
	some scenario in [cert.grant, gateway.grant, idp.grant, search.grant, todo.grant]
	some reason in scenario
}

grant contains reason if {
	valid
	some reason in seed.grant
}

default effects := []

effects := [seed.effect] if valid
