package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/open-policy-agent/opa/internal/compiler/wasm"
	"github.com/open-policy-agent/opa/internal/planner"
	"github.com/open-policy-agent/opa/internal/wasm/encoding"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/test/cases"
	"github.com/open-policy-agent/opa/v1/util"
)

// outcome is a line of cases-N.jsonl. Without a plan it cannot be scored, and LeftOut says why.
type outcome struct {
	ID     string `json:"id"`
	Family string `json:"family"`
	// Source of the policies, and the query, for people.
	Modules []string `json:"modules"`
	Query   string   `json:"query"`
	Data    any      `json:"data"`
	// Typed; absent where the case has no input.
	Input any `json:"input,omitempty"`
	// Evaluated with a built-in's error as the end of the evaluation.
	Strict bool `json:"strict,omitempty"`
	// Arrays at the top of a binding are compared as if sorted.
	SortBindings bool `json:"sortBindings,omitempty"`
	// Typed: the set of bindings. Null where an error is wanted.
	Want any `json:"want"`
	// OPA's code of the wanted error.
	WantError string `json:"wantError,omitempty"`
	// The answer of an engine that takes a built-in's error as undefined, in the same two forms. Strict cases only.
	Lenient      any        `json:"lenient,omitempty"`
	LenientError string     `json:"lenientError,omitempty"`
	Plan         *ir.Policy `json:"plan,omitempty"`
	WasmBytes    int        `json:"wasmBytes"`
	LeftOut      string     `json:"leftOut,omitempty"`
}

// compiled is a case as OPA's compiler leaves it.
type compiled struct {
	compiler  *ast.Compiler
	query     ast.Body
	rewritten map[ast.Var]ast.Var
}

func prepare(test cases.TestCase) (outcome, []byte, error) {
	family, _, _ := strings.Cut(strings.TrimPrefix(test.Filename, "v1/"), "/")
	out := outcome{
		ID: test.Note, Family: family, Modules: test.Modules, Query: test.Query,
		Data: map[string]any{}, Strict: test.StrictError, SortBindings: test.SortBindings,
	}
	if test.Data != nil {
		out.Data = *test.Data
	}
	input, err := inputOf(test)
	if err != nil {
		return out, nil, err
	}
	if input != nil {
		out.Input = typed(input.Value)
	}
	source, err := compile(test)
	if err != nil {
		return leftOut(out, "it does not compile", err), nil, nil
	}
	if err := wanted(&out, test, source, input); err != nil {
		return out, nil, err
	}
	if out.Plan, err = source.plan(); err != nil {
		return leftOut(out, "it cannot be planned", err), nil, nil
	}
	code, err := generate(out.Plan)
	out.WasmBytes = len(code)
	return out, code, err
}

func leftOut(out outcome, why string, err error) outcome {
	out.LeftOut = fmt.Sprintf("%s: %v", why, err)
	return out
}

func inputOf(test cases.TestCase) (*ast.Term, error) {
	if test.InputTerm != nil {
		return ast.ParseTerm(*test.InputTerm)
	}
	if test.Input == nil {
		return nil, nil
	}
	value, err := ast.InterfaceToValue(*test.Input)
	return ast.NewTerm(value), err
}

func compile(test cases.TestCase) (*compiled, error) {
	options := ast.ParserOptions{
		RegoVersion:  ast.RegoV1,
		Capabilities: ast.CapabilitiesForThisVersion(ast.CapabilitiesExperimentalKeywords(test.ExperimentalKeywords)),
	}
	modules := map[string]*ast.Module{}
	for i, text := range test.Modules {
		name := fmt.Sprintf("test-%d.rego", i)
		module, err := ast.ParseModuleWithOpts(name, text, options)
		if err != nil {
			return nil, err
		}
		modules[name] = module
	}
	compiler := ast.NewCompiler()
	if compiler.Compile(modules); compiler.Failed() {
		return nil, compiler.Errors
	}
	query, err := ast.ParseBodyWithOpts(test.Query, options)
	if err != nil {
		return nil, err
	}
	context := compiler.QueryCompiler()
	body, err := context.Compile(query)
	return &compiled{compiler, body, context.RewrittenVars()}, err
}

func (source *compiled) plan() (*ir.Policy, error) {
	modules := make([]*ast.Module, 0, len(source.compiler.Modules))
	for _, name := range util.KeysSorted(source.compiler.Modules) {
		modules = append(modules, source.compiler.Modules[name])
	}
	asked := planner.QuerySet{Name: "eval", Queries: []ast.Body{source.query}, RewrittenVars: source.rewritten}
	policy, err := planner.New().
		WithQueries([]planner.QuerySet{asked}).
		WithModules(modules).
		WithBuiltinDecls(maps.Clone(ast.BuiltinMap)).
		WithDebug(io.Discard).
		Plan()
	if err == nil && (policy.Plans == nil || len(policy.Plans.Plans) != 1) {
		return nil, errors.New("not one plan")
	}
	return policy, err
}

func generate(policy *ir.Policy) ([]byte, error) {
	module, err := wasm.New().WithPolicy(policy).WithDebug(io.Discard).Compile()
	if err != nil {
		return nil, err
	}
	var code bytes.Buffer
	err = encoding.WriteModule(&code, module)
	return code.Bytes(), err
}
