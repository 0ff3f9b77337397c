package main

import (
	"bytes"
	"context"
	"io"
	"slices"

	"github.com/open-policy-agent/opa/internal/compiler/wasm"
	"github.com/open-policy-agent/opa/internal/planner"
	"github.com/open-policy-agent/opa/internal/ref"
	"github.com/open-policy-agent/opa/internal/wasm/encoding"
	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/ir"
	"github.com/open-policy-agent/opa/v1/util"
)

// entrypoints keeps names and references aligned, each reference once: the planner numbers them in this order.
type entrypoints struct {
	names []string
	refs  []*ast.Term
}

func (e *entrypoints) add(name string, term *ast.Term) {
	for _, have := range e.refs {
		if have.Equal(term) {
			return
		}
	}
	e.names = append(e.names, name)
	e.refs = append(e.refs, term)
}

// build makes the plan and the WebAssembly module in one pass, byte for byte what `opa build -t plan` and `-t wasm` write
// (compilePlan and compileWasm in v1/compile/compile.go).
func build(_ context.Context, req *request) (*answer, error) {
	caps, err := req.capabilitySet()
	if err != nil {
		return nil, err
	}
	parsed, err := req.sound(caps)
	if err != nil {
		return nil, err
	}
	asked, err := req.askedFor(parsed)
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
	public := slices.Clone(asked.names)
	if err := asked.addDependents(compiler); err != nil {
		return nil, err
	}
	policy, err := plan(compiler, caps, asked)
	if err != nil {
		return nil, err
	}
	code, err := generate(policy)
	if err != nil {
		return nil, err
	}
	return &answer{Entrypoints: public, Plan: policy, wasm: code}, nil
}

// askedFor lists the request's entry points, then those that the sources annotate with `entrypoint: true`.
func (req *request) askedFor(parsed modules) (*entrypoints, error) {
	asked := &entrypoints{}
	for _, name := range req.Entrypoints {
		path, err := ref.ParseDataPath(name)
		if err != nil || len(path) < 2 {
			return nil, refuse("invalid_entrypoint", "an entry point is package/rule with slashes: "+name)
		}
		asked.add(name, ast.NewTerm(path))
	}
	list := make([]*ast.Module, 0, len(parsed))
	for _, name := range util.KeysSorted(parsed) {
		list = append(list, parsed[name])
	}
	annotated, mistakes := ast.BuildAnnotationSet(list)
	if len(mistakes) > 0 {
		return nil, mistakes
	}
	for _, annotation := range annotated.Flatten() {
		path := annotatedPath(annotation)
		if path == nil {
			continue
		}
		name, err := path.Ptr()
		if err != nil {
			return nil, err
		}
		asked.add(name, ast.NewTerm(path))
	}
	if len(asked.names) == 0 {
		return nil, refuse("no_entrypoint", "name an entry point, or annotate one with `entrypoint: true`")
	}
	return asked, nil
}

func annotatedPath(annotation *ast.AnnotationsRef) ast.Ref {
	if !annotation.Annotations.Entrypoint {
		return nil
	}
	if annotation.Annotations.Scope == "package" {
		if pkg := annotation.GetPackage(); pkg != nil {
			return pkg.Path
		}
	} else if rule := annotation.GetRule(); rule != nil {
		return rule.Ref().GroundPrefix()
	}
	return nil
}

// addDependents makes entry points of the rules that depend on one: OPA's evaluator needs them for `with`, and bytes depend on it.
func (e *entrypoints) addDependents(compiler *ast.Compiler) error {
	found := map[*ast.Rule]struct{}{}
	var visit func(*ast.Rule)
	visit = func(rule *ast.Rule) {
		for node := range compiler.Graph.Dependents(rule) {
			dependent := node.(*ast.Rule)
			if _, seen := found[dependent]; !seen {
				found[dependent] = struct{}{}
				visit(dependent)
			}
		}
	}
	for _, term := range e.refs {
		for _, rule := range compiler.GetRules(term.Value.(ast.Ref)) {
			visit(rule)
		}
	}
	paths := ast.NewSet()
	for rule := range found {
		paths.Add(ast.NewTerm(rule.Module.Package.Path.Extend(rule.Head.Ref().GroundPrefix())))
	}
	sorted := paths.Sorted()
	for i := range sorted.Len() {
		name, err := sorted.Elem(i).Value.(ast.Ref).Ptr()
		if err != nil {
			return err
		}
		if !slices.Contains(e.names, name) {
			e.names = append(e.names, name)
			e.refs = append(e.refs, sorted.Elem(i))
		}
	}
	return nil
}

func plan(compiler *ast.Compiler, caps *ast.Capabilities, asked *entrypoints) (*ir.Policy, error) {
	queries := make([]planner.QuerySet, len(asked.refs))
	var missing []problem
	for i, term := range asked.refs {
		context := compiler.QueryCompiler()
		body, err := context.Compile(ast.NewBody(ast.Equality.Expr(ast.VarTerm("result"), term)))
		if err != nil {
			return nil, err
		}
		if len(compiler.GetRules(term.Value.(ast.Ref))) == 0 {
			missing = append(missing, problem{Code: "unknown_entrypoint", Message: "no rule or package is at " + asked.names[i]})
		}
		queries[i] = planner.QuerySet{Name: asked.names[i], Queries: []ast.Body{body}, RewrittenVars: context.RewrittenVars()}
	}
	if missing != nil {
		return nil, located{missing}
	}
	list := make([]*ast.Module, 0, len(compiler.Modules))
	for _, name := range util.KeysSorted(compiler.Modules) {
		list = append(list, compiler.Modules[name])
	}
	declared := make(map[string]*ast.Builtin, len(caps.Builtins))
	for _, builtin := range caps.Builtins {
		declared[builtin.Name] = builtin
	}
	return planner.New().WithQueries(queries).WithModules(list).WithBuiltinDecls(declared).WithDebug(io.Discard).Plan()
}

func generate(policy *ir.Policy) ([]byte, error) {
	module, err := wasm.New().WithPolicy(policy).WithDebug(io.Discard).Compile()
	if err != nil {
		return nil, err
	}
	var code bytes.Buffer
	if err := encoding.WriteModule(&code, module); err != nil {
		return nil, err
	}
	return code.Bytes(), nil
}

// capabilities lists what this version of OPA declares, and which built-ins its WebAssembly runtime has itself.
func capabilities(context.Context, *request) (*answer, error) {
	all := ast.CapabilitiesForThisVersion()
	native := []string{}
	for _, builtin := range all.Builtins {
		if wasm.IsWasmEnabled(builtin.Name) {
			native = append(native, builtin.Name)
		}
	}
	return &answer{Capabilities: all, Native: native}, nil
}
