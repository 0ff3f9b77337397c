# METADATA
# title: Values of caveats, by their schemas
# description: |
#   The part of JSON Schema that describes a caveat's value: `type` (string, integer, boolean, array, object), for strings `pattern`, `minLength`
#   and `maxLength`, for integers `minimum` and `maximum`, `enum` for either, for arrays of these `items`, `minItems` and `maxItems`, for objects
#   of all these `properties` and `required`. Objects are closed. A schema that says anything else fits nothing.
package assay.capability.shape

fits(schema, value) if {
	schema.type == "array"
	list(schema, value)
} else if {
	schema.type == "object"
	closed(schema, value)
} else if {
	scalar(schema, value)
}

scalar(schema, value) if {
	schema.type == "string"
	is_string(value)
	allowed(schema, value)
	text(schema, value)
} else if {
	schema.type == "integer"
	is_number(value)
	floor(value) == value
	allowed(schema, value)
	bounded(schema, value, "minimum", "maximum")
} else if {
	schema.type == "boolean"
	is_boolean(value)
}

list(schema, value) if {
	is_array(value)
	bounded(schema, count(value), "minItems", "maxItems")
	every item in value {
		scalar(schema.items, item)
	}
}

closed(schema, value) if {
	is_object(value)
	every name in schema.required {
		not missing(value, name)
	}
	every name, member in value {
		part(schema.properties[name], member)
	}
}

missing(value, name) if not name in object.keys(value)

part(schema, value) if {
	schema.type == "array"
	list(schema, value)
} else if {
	scalar(schema, value)
}

allowed(schema, value) if {
	not schema.enum
} else if {
	value in schema.enum
}

text(schema, value) if {
	bounded(schema, count(value), "minLength", "maxLength")
	like(schema, value)
}

like(schema, value) if {
	not schema.pattern
} else if {
	regex.match(schema.pattern, value)
}

bounded(schema, size, least, most) if {
	object.get(schema, least, size) <= size
	size <= object.get(schema, most, size)
}
