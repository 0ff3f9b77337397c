package main

import (
	"context"

	astjson "github.com/open-policy-agent/opa/v1/ast/json"
)

// syntax gives each module's tree as OPA writes it, with the place and the text of every node: what a linter and an explanation read.
func syntax(_ context.Context, req *request) (*answer, error) {
	caps, err := req.withHelpers()
	if err != nil {
		return nil, err
	}
	parsed, err := req.parse(caps)
	if err != nil {
		return nil, err
	}
	// The option is the program's own, and nothing else that is answered has nodes in it.
	astjson.SetOptions(astjson.Options{MarshalOptions: astjson.MarshalOptions{
		IncludeLocation: astjson.NodeToggle{
			Term: true, Package: true, Comment: true, Import: true, Rule: true, Head: true, Expr: true, SomeDecl: true,
			Every: true, With: true, Annotations: true, AnnotationsRef: true, Not: true, And: true, Or: true,
		},
		IncludeLocationText: true,
		ExcludeLocationFile: true,
	}})
	return &answer{Syntax: parsed}, nil
}
