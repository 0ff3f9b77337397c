package assay.capability.shape_test

import data.assay.capability.shape

fitting(schema, values) if {
	every value in values {
		shape.fits(schema, value)
	}
}

unfit(schema, values) if {
	every value in values {
		not shape.fits(schema, value)
	}
}

test_strings if {
	fitting({"type": "string"}, ["", "a"])
	unfit({"type": "string"}, [1, null, true, [], {}])
	fitting({"maxLength": 2, "minLength": 1, "type": "string"}, ["a", "ab"])
	unfit({"maxLength": 2, "minLength": 1, "type": "string"}, ["", "abc"])
	fitting({"pattern": "^a+$", "type": "string"}, ["a", "aa"])
	unfit({"pattern": "^a+$", "type": "string"}, ["", "b"])
	fitting({"enum": ["a", "b"], "type": "string"}, ["a"])
	unfit({"enum": ["a", "b"], "type": "string"}, ["c", 1])
}

test_integers if {
	fitting({"type": "integer"}, [0, -1, 9007199254740991])
	unfit({"type": "integer"}, [0.5, "1", null, true, [1]])
	fitting({"maximum": 2, "minimum": 1, "type": "integer"}, [1, 2])
	unfit({"maximum": 2, "minimum": 1, "type": "integer"}, [0, 3])
	fitting({"enum": [1, 3], "type": "integer"}, [1, 3])
	unfit({"enum": [1, 3], "type": "integer"}, [2])
}

test_booleans if {
	fitting({"type": "boolean"}, [true, false])
	unfit({"type": "boolean"}, [0, "true", null])
}

test_arrays if {
	schema := {"items": {"type": "integer"}, "maxItems": 2, "minItems": 1, "type": "array"}
	fitting(schema, [[1], [1, 2]])
	unfit(schema, [[], [1, 2, 3], ["1"], [1, "2"], 1, {"0": 1}])
	fitting({"items": {"type": "string"}, "type": "array"}, [[]])
}

test_objects_are_closed if {
	schema := {
		"properties": {"days": {"items": {"type": "integer"}, "type": "array"}, "from": {"type": "integer"}},
		"required": ["from"],
		"type": "object",
	}
	fitting(schema, [{"from": 1}, {"days": [1, 2], "from": 1}])
	unfit(schema, [{}, {"days": [1]}, {"days": ["1"], "from": 1}, {"from": "1"}, {"from": 1, "until": 2}, [1], "from"])
}

test_a_schema_of_no_known_type_fits_nothing if {
	unfit({}, [null, 1, "a", [], {}])
	unfit({"type": "number"}, [1])
	unfit({"type": ["string", "integer"]}, ["a", 1])
	unfit({"items": {"items": {"type": "integer"}, "type": "array"}, "type": "array"}, [[[1]]])
}
