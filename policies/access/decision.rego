# METADATA
# title: Decisions of the plugin access
# description: |
#   The entry point. Its input is {"facts", "now", "request"}; plugins/access/README.md lists the facts, the reasons and the effects.
#   Evaluations are decided in evaluate.rego, requests for access in request.rego, other changes of state in admin.rego; policies/main.rego
#   can refuse them all.
package assay.access

import data.assay.access.admin
import data.assay.access.evaluate
import data.assay.access.request
import data.assay.lib.verdict
import data.assay.main

# METADATA
# entrypoint: true
decision := decided if {
	decided.allow
	asks == "evaluation"
} else := object.union(decided, {"output": output}) if {
	output
} else := decided

decided := verdict.decide({
	"deny": deny,
	"effects": effects,
	"grant": grant,
	"missing": missing,
	"obligations": obligations,
})

# Only what nothing but a missing permission refuses can be asked for.
output := {"access_request": request.offer} if {
	asks == "evaluation"
	not decided.allow
	count(main.deny) + count(deny) == 0
}

output := {"request": request.told} if {
	asks == "request"
	decided.allow
}

# What the caller has to do before it acts on an allow.
default obligations := []

obligations := data.access.obligations[input.facts.resource.type][input.facts.payload.action] if asks == "evaluation"

# METADATA
# title: What an action search asks about
# description: It has no input. An action that is missing here is never found, whatever permits it.
# entrypoint: true
actions := evaluate.actions

asks := "nothing" if {
	input.facts.payload.check != "valid"
} else := "evaluation" if {
	input.request.action == "access.evaluate"
} else := "request" if {
	input.request.action in request.actions
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

deny contains reason if {
	asks == "request"
	some reason in request.deny
}

grant contains reason if {
	asks == "evaluation"
	some reason in evaluate.grant
}

grant contains reason if {
	asks == "change"
	some reason in admin.grant
}

grant contains reason if {
	asks == "request"
	some reason in request.grant
}

missing contains reason if {
	asks == "evaluation"
	some reason in evaluate.missing
}

default effects := []

effects := [admin.effect] if asks == "change"

effects := request.effects if asks == "request"
