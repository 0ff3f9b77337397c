# METADATA
# title: Decisions of the plugin audit
# description: |
#   The entry point. Its input is {"facts", "now", "request"}; plugins/audit/README.md lists the facts, the reasons and the effects. Who may
#   ask stands in scope.rego, what may be erased in retention.rego; policies/main.rego can refuse everything.
package assay.audit

import data.assay.audit.retention
import data.assay.audit.scope
import data.assay.lib.verdict

# METADATA
# entrypoint: true
decision := object.union(decided, {"output": output}) if {
	output
} else := decided

decided := verdict.decide({
	"deny": deny,
	"effects": effects,
	"grant": grant,
	"missing": missing,
	"obligations": [],
})

payload := input.facts.payload

deny contains {
	"code": "malformed_request",
	"message": "the payload is not what this action expects",
	"rule": "assay.audit.deny",
} if {
	payload.check != "valid"
}

# Somebody who may not ask learns nothing about the log.
may_ask if {
	payload.check == "valid"
	count(grant) > 0
}

deny contains reason if {
	may_ask
	some reason in retention.deny
}

deny contains {
	"code": "hold_exists",
	"message": "there is a hold of this name: release it first",
	"rule": "assay.audit.deny",
} if {
	input.request.action == "audit.hold"
	may_ask
	input.facts.hold.found
}

deny contains {
	"code": "unknown_hold",
	"message": "there is no hold of this name",
	"rule": "assay.audit.deny",
} if {
	input.request.action == "audit.release"
	may_ask
	not input.facts.hold.found
}

grant contains {
	"code": "audit_role",
	"message": sprintf("the role %s permits it", [role]),
	"rule": "assay.audit.grant",
} if {
	some role in scope.permitting
}

grant contains {
	"code": "own_decision",
	"message": "it was asked for by the same peer",
	"rule": "assay.audit.grant",
} if {
	input.request.action == "audit.receipt"
	scope.own
}

missing contains {
	"code": "no_audit_role",
	"message": "no role of the peer permits this",
	"rule": "assay.audit.missing",
} if {
	count(grant) == 0
}

default effects := []

effects := [{"ids": retention.due, "kind": "audit.erase"}] if {
	input.request.action in {"audit.erase", "audit.expire"}
}

effects := [{"filter": payload.filter, "kind": "audit.hold", "name": input.facts.hold.name}] if {
	input.request.action == "audit.hold"
}

effects := [{"kind": "audit.release", "name": input.facts.hold.name}] if {
	input.request.action == "audit.release"
}

# What the kernel then looks up, and which fields it may open: nothing else of the request counts.
output := {
	"fields": payload.fields,
	"limit": payload.limit,
	"open": scope.open,
	"query": payload.filter,
} if {
	input.request.action == "audit.query"
	decided.allow
}

output := {"open": scope.open} if {
	input.request.action == "audit.receipt"
	decided.allow
}

output := object.union({"erased": count(retention.due)}, continuing) if {
	input.request.action in {"audit.erase", "audit.expire"}
	decided.allow
}

# Also on a denial: nothing may be due here, and something further on.
output := continuing if {
	input.request.action == "audit.expire"
	not decided.allow
	not retention.all_young
}

default continuing := {}

continuing := {"next": input.facts.records.next}
