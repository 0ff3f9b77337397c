# METADATA
# title: Who may ask a user's own policies?
# description: |
#   Everybody may, and sees the policies' sources, as with OPA itself. To refuse somebody, add a rule to `deny`, for example on
#   input.request.peer or on input.facts.query.path.
package assay.opa.query

# A build adds this package: the entry points that a user's own policies have.
# assay ignore: unresolved-import
import data.assay.opa.entries

deny contains {
	"code": "malformed_query",
	"message": "a query has a path of up to 32 names, and an input of up to 30 levels",
	"rule": "assay.opa.query.deny",
} if {
	input.request.action == "opa.query"
	input.facts.query.check != "valid"
}

grant contains {
	"code": "query_permitted",
	"message": "everybody may ask",
	"rule": "assay.opa.query.grant",
} if {
	input.request.action in {"opa.query", "opa.read-policies"}
}

# What lies at the path: a rule's value, or a document. Undefined when neither does.
result := descend(entries.value[input.facts.query.entrypoint], input.facts.query.rest)

result := input.facts.query.document if input.facts.query.entrypoint == ""

descend(value, []) := value

descend(value, [a]) := step(value, a)

descend(value, [a, b]) := step(step(value, a), b)

descend(value, [a, b, c]) := step(step(step(value, a), b), c)

descend(value, [a, b, c, d]) := step(step(step(step(value, a), b), c), d)

step(value, name) := value[to_number(name)] if is_array(value)

step(value, name) := value[name] if not is_array(value)
