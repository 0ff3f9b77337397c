package assay.opa.query_test

import data.assay.opa
import data.assay.opa.given_test as given
import data.assay.opa.query

entry(rest) := given.asked(
	"opa.query",
	{
		"claimed": {"input": {"user": "ann"}},
		"query": {"check": "valid", "entrypoint": "app/allow", "path": array.concat(["app", "allow"], rest), "rest": rest},
	},
	given.stranger,
)

document(members) := given.asked(
	"opa.query",
	{"claimed": {"input": null}, "query": object.union({"check": "valid", "entrypoint": "", "path": ["users"], "rest": []}, members)},
	given.stranger,
)

test_everybody_may_ask if {
	decision := opa.decision with input as entry([]) with data.assay.opa.entries.value as {"app/allow": false}
	decision.allow
	decision.output == {"result": false}
	given.codes(decision) == {"query_permitted"}
}

test_an_undefined_rule_has_no_result if {
	decision := opa.decision with input as entry([]) with data.assay.opa.entries.value as {}
	decision.allow
	not "output" in object.keys(decision)
}

test_a_document_is_answered_as_it_is if {
	decision := opa.decision with input as document({"document": {"ann": 1}})
	decision.output == {"result": {"ann": 1}}
}

test_no_document_no_result if {
	decision := opa.decision with input as document({})
	decision.allow
	not "output" in object.keys(decision)
}

test_a_path_goes_on_into_the_value if {
	value := {"a": [{"b": {"c": {"d": 1}}}]}
	expected := {
		[]: value,
		["a"]: value.a,
		["a", "0"]: value.a[0],
		["a", "0", "b"]: value.a[0].b,
		["a", "0", "b", "c"]: {"d": 1},
	}
	every rest, result in expected {
		query.result == result with input as entry(rest) with data.assay.opa.entries.value as {"app/allow": value}
	}
}

test_a_path_that_leads_nowhere_is_undefined if {
	every rest in [["x"], ["a", "7"], ["a", "x"], ["a", "b", "c", "d", "e"]] {
		not query.result with input as entry(rest) with data.assay.opa.entries.value as {"app/allow": {"a": [1]}}
	}
}

test_what_is_no_query_is_refused if {
	decision := opa.decision with input as given.asked("opa.query", {}, given.peer)
	not decision.allow
	given.codes(decision) == {"malformed_query"}
	not "output" in object.keys(decision)
}

test_a_refusal_keeps_the_answer_back if {
	decision := opa.decision with input as entry([])
		with data.assay.opa.entries.value as {"app/allow": true}
		with data.freeze.actions as ["opa.query"]
	not decision.allow
	given.codes(decision) == {"frozen"}
	not "output" in object.keys(decision)
}

test_everybody_may_read_the_policies if {
	decision := opa.decision with input as given.asked("opa.read-policies", {}, given.stranger)
	decision.allow
	given.codes(decision) == {"query_permitted"}
}
