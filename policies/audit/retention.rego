# METADATA
# title: How long openings are kept, and what may be erased
# description: |
#   A decision is of the class of the first of `retention.rules` in data.json that fits its plugin, action and verdict. A class without
#   `days` is kept for ever. A legal hold wins over everything: over expiry silently, over a request with a reason.
package assay.audit.retention

seconds_per_day := 86400

records := input.facts.records.items

plugin(record) := split(record.action, ".")[0]

class(record) := [rule.class | some rule in data.audit.retention.rules; fits(rule, record)][0] if {
	some rule in data.audit.retention.rules
	fits(rule, record)
} else := data.audit.retention.otherwise

# What a rule does not name, it does not ask for.
fits(rule, record) if {
	object.get(rule, "plugin", plugin(record)) == plugin(record)
	object.get(rule, "action", record.action) == record.action
	object.get(rule, "allow", record.allow) == record.allow
}

held(record) if count(record.holds) > 0

expired(record) if {
	kept := data.audit.retention.classes[class(record)].days * seconds_per_day
	input.now >= record.time + kept
}

due := sort([record.id | some record in records]) if {
	input.request.action == "audit.erase"
}

due := sort([record.id | some record in records; expired(record); not held(record)]) if {
	input.request.action == "audit.expire"
}

# Later records are younger still: none of them can be due.
all_young if {
	newest := max([record.time | some record in records])
	input.now < newest + (min([class.days | some class in data.audit.retention.classes]) * seconds_per_day)
}

deny contains {
	"code": "nothing_to_erase",
	"message": "no decision here has openings that may be erased",
	"rule": "assay.audit.retention.deny",
} if {
	count(due) == 0
}

deny contains {
	"code": "legal_hold",
	"message": "a legal hold fits one of the decisions",
	"rule": "assay.audit.retention.deny",
} if {
	input.request.action == "audit.erase"
	some record in records
	held(record)
}

deny contains {
	"code": "protected_record",
	"message": "the audit's own records are not erased on request",
	"rule": "assay.audit.retention.deny",
} if {
	input.request.action == "audit.erase"
	some record in records
	plugin(record) in data.audit.protected
}
