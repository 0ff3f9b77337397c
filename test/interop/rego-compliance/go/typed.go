package main

import (
	"encoding/json"

	"github.com/open-policy-agent/opa/v1/ast"
)

// typed writes a value as JSON in which nothing is lost: scalars and arrays as they are, a set as {"set": [...]}, an object as
// {"object": [[key, value], ...]}, members in Rego's order.
func typed(value ast.Value) any {
	switch value := value.(type) {
	case ast.Null:
		return nil
	case ast.Boolean:
		return bool(value)
	case ast.Number:
		return json.Number(value)
	case ast.String:
		return string(value)
	case *ast.Array:
		return elements(value)
	case ast.Set:
		return map[string]any{"set": elements(value.Sorted())}
	case ast.Object:
		members := make([]any, 0, value.Len())
		value.Foreach(func(key, member *ast.Term) {
			members = append(members, []any{typed(key.Value), typed(member.Value)})
		})
		return map[string]any{"object": members}
	default:
		panic("not a value: " + value.String())
	}
}

func elements(array *ast.Array) []any {
	list := make([]any, 0, array.Len())
	array.Foreach(func(element *ast.Term) {
		list = append(list, typed(element.Value))
	})
	return list
}
