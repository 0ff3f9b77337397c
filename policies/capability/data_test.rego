# What must hold for data.json and for the schemas of caveats, whatever a security team writes into them.
package assay.capability.data_test

import data.capability

test_no_bound_is_looser_than_the_format_promises if {
	capability.max_ttl <= 300
	capability.skew <= 30
	capability.proof_window <= 30
	capability.max_revocation_age <= 10
}

test_nobody_unknown_sweeps if {
	not "anonymous" in capability.sweepers
}

keywords := {
	"array": {"items", "maxItems", "minItems", "type"},
	"boolean": {"type"},
	"integer": {"enum", "maximum", "minimum", "type"},
	"object": {"properties", "required", "type"},
	"string": {"enum", "maxLength", "minLength", "pattern", "type"},
}

# What shape.rego does not know would be taken for a bound and be none.
test_schemas_say_what_is_understood_and_nothing_else if {
	every type, schema in capability.caveats {
		object.keys(schema) - keywords[schema.type] == set()
		every part in parts(schema) {
			object.keys(part) - keywords[part.type] == set()
		}
		regex.match(`^[a-z][a-z0-9_]{0,63}$`, type)
	}
}

parts(schema) := [schema.items] if {
	schema.type == "array"
} else := array.concat(
	[part | some part in schema.properties],
	[part.items | some part in schema.properties],
) if {
	schema.type == "object"
} else := []
