package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/format"
	"github.com/open-policy-agent/opa/v1/util"
)

type modules = map[string]*ast.Module

// parse reads every module and reports the mistakes of all of them, not only of the first.
func (req *request) parse(caps *ast.Capabilities) (modules, error) {
	parsed := modules{}
	var mistakes ast.Errors
	for _, name := range util.KeysSorted(req.Modules) {
		module, err := ast.ParseModuleWithOpts(name, req.Modules[name], ast.ParserOptions{
			RegoVersion:       ast.RegoV1,
			ProcessAnnotation: true,
			Capabilities:      caps,
		})
		var found ast.Errors
		switch {
		case errors.As(err, &found):
			mistakes = append(mistakes, found...)
		case err != nil:
			return nil, err
		case module == nil:
			mistakes = append(mistakes, ast.NewError(ast.ParseErr, &ast.Location{File: name, Row: 1, Col: 1}, "empty module: start it with a package"))
		default:
			parsed[name] = module
		}
	}
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	return parsed, nil
}

// sound is parse, and refuses what parses and means something else than it says.
func (req *request) sound(caps *ast.Capabilities) (modules, error) {
	parsed, err := req.parse(caps)
	if err != nil {
		return nil, err
	}
	return parsed, shadowing(parsed)
}

// infixNames are the built-ins behind operators, such as div behind `/`.
var infixNames = func() map[string]string {
	names := map[string]string{}
	for _, builtin := range ast.DefaultBuiltins {
		if builtin.Infix != "" {
			names[builtin.Name] = builtin.Infix
		}
	}
	return names
}()

// shadowing refuses rules that are named as an operator's built-in: inside their package the operator then calls the rule.
func shadowing(parsed modules) error {
	var found []problem
	for _, name := range util.KeysSorted(parsed) {
		for _, rule := range parsed[name].Rules {
			head := rule.Head.Ref()[0].Value.String()
			if operator, taken := infixNames[head]; taken {
				message := "a rule named " + head + " takes over the operator " + operator + " in its package: rename it"
				found = append(found, problem{Code: "shadowed_operator", Message: message}.at(rule.Head.Location))
			}
		}
	}
	if found != nil {
		return located{found}
	}
	return nil
}

func (req *request) document() (map[string]any, error) {
	document := map[string]any{}
	if len(req.Data) == 0 {
		return document, nil
	}
	err := util.UnmarshalJSON(req.Data, &document)
	return document, err
}

// compiler has what every operation shares. The paths check refuses a rule where data already lies.
func (req *request) compiler(caps *ast.Capabilities) (*ast.Compiler, error) {
	document, err := req.document()
	if err != nil {
		return nil, err
	}
	return ast.NewCompiler().
		SetErrorLimit(errorLimit).
		WithCapabilities(caps).
		WithDebug(io.Discard).
		WithPathConflictsCheck(func(path []string) (bool, error) { return occupied(document, path), nil }), nil
}

func occupied(document map[string]any, path []string) bool {
	var node any = document
	for _, name := range path {
		object, isObject := node.(map[string]any)
		if !isObject {
			return true
		}
		next, there := object[name]
		if !there {
			return false
		}
		node = next
	}
	return len(path) > 0
}

func check(_ context.Context, req *request) (*answer, error) {
	caps, err := req.withHelpers()
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
	schemas, err := req.schemaSet()
	if err != nil {
		return nil, err
	}
	compiler.WithStrict(true).WithEnablePrintStatements(true).WithSchemas(schemas).WithUseTypeCheckAnnotations(true).Compile(parsed)
	if compiler.Failed() {
		return nil, compiler.Errors
	}
	return &answer{}, nil
}

// schemaSet takes names as annotations write them: schema.access.
func (req *request) schemaSet() (*ast.SchemaSet, error) {
	set := ast.NewSchemaSet()
	for _, name := range util.KeysSorted(req.Schemas) {
		ref, err := ast.ParseRef(name)
		if err != nil || !ref.HasPrefix(ast.SchemaRootRef) {
			return nil, refuse("invalid_schema", "a schema's name starts with schema: "+name)
		}
		var document any
		if err := json.Unmarshal(req.Schemas[name], &document); err != nil {
			return nil, refuse("invalid_schema", name+": "+err.Error())
		}
		set.Put(ref, document)
	}
	return set, nil
}

func formatSources(_ context.Context, req *request) (*answer, error) {
	caps, err := req.capabilitySet()
	if err != nil {
		return nil, err
	}
	// The formatter's own parser loses columns.
	if _, err := req.parse(caps); err != nil {
		return nil, err
	}
	formatted := map[string]string{}
	for _, name := range util.KeysSorted(req.Modules) {
		text, err := format.SourceWithOpts(name, []byte(req.Modules[name]), format.Opts{
			RegoVersion:   ast.RegoV1,
			ParserOptions: &ast.ParserOptions{RegoVersion: ast.RegoV1, Capabilities: caps},
		})
		if err != nil {
			return nil, err
		}
		formatted[name] = string(text)
	}
	return &answer{Formatted: formatted}, nil
}
