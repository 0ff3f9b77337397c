package main

import (
	"context"
	"encoding/json"

	"github.com/open-policy-agent/opa/internal/ref"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/util"
)

// evaluation is the answer for one input: a value, nothing where the query is undefined, or what stopped it.
type evaluation struct {
	Value   json.RawMessage `json:"value,omitempty"`
	Problem *problem        `json:"problem,omitempty"`
}

// eval runs OPA's own evaluator, the reference that other engines are compared with.
func eval(ctx context.Context, req *request) (*answer, error) {
	caps, err := req.capabilitySet()
	if err != nil {
		return nil, err
	}
	parsed, err := req.sound(caps)
	if err != nil {
		return nil, err
	}
	compiler, err := req.compiler(caps)
	if err != nil {
		return nil, err
	}
	if compiler.Compile(parsed); compiler.Failed() {
		return nil, compiler.Errors
	}
	document, err := req.document()
	if err != nil {
		return nil, err
	}
	path, err := ref.ParseDataPath(req.Query)
	if err != nil {
		return nil, refuse("invalid_entrypoint", err.Error())
	}
	prepared, err := rego.New(
		rego.ParsedQuery(ast.NewBody(ast.NewExpr(ast.NewTerm(path)))),
		rego.Compiler(compiler),
		rego.Store(inmem.NewFromObject(document)),
	).PrepareForEval(ctx)
	if err != nil {
		return nil, err
	}
	values := make([]evaluation, 0, len(req.Inputs))
	for _, input := range req.Inputs {
		values = append(values, evaluate(ctx, prepared, input))
	}
	return &answer{Values: values}, nil
}

func evaluate(ctx context.Context, prepared rego.PreparedEvalQuery, text json.RawMessage) evaluation {
	failed := func(err error) evaluation { return evaluation{Problem: &problemsOf(err)[0]} }
	var input any
	if err := util.UnmarshalJSON(text, &input); err != nil {
		return failed(err)
	}
	results, err := prepared.Eval(ctx, rego.EvalInput(input))
	if err != nil {
		return failed(err)
	}
	if len(results) == 0 {
		return evaluation{}
	}
	value, err := json.Marshal(results[0].Expressions[0].Value)
	if err != nil {
		return failed(err)
	}
	return evaluation{Value: value}
}
