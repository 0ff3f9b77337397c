package main

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
)

// request is one call. Unknown members are refused, so that the two sides cannot drift apart unnoticed.
type request struct {
	Op           string                     `json:"op"`
	Modules      map[string]string          `json:"modules"`
	Data         json.RawMessage            `json:"data,omitempty"`
	Capabilities json.RawMessage            `json:"capabilities,omitempty"`
	Entrypoints  []string                   `json:"entrypoints,omitempty"`
	Schemas      map[string]json.RawMessage `json:"schemas,omitempty"`
	Run          string                     `json:"run,omitempty"`
	Coverage     bool                       `json:"coverage,omitempty"`
	Query        string                     `json:"query,omitempty"`
	Inputs       []json.RawMessage          `json:"inputs,omitempty"`
}

// answer is what comes back. Problems are the caller's sources at fault; Fault is this program at fault.
type answer struct {
	Problems     []problem         `json:"problems,omitempty"`
	Fault        string            `json:"fault,omitempty"`
	Entrypoints  []string          `json:"entrypoints,omitempty"`
	Plan         any               `json:"plan,omitempty"`
	Formatted    map[string]string `json:"formatted,omitempty"`
	Tests        []testCase        `json:"tests,omitempty"`
	Coverage     *coverage         `json:"coverage,omitempty"`
	Values       []evaluation      `json:"values,omitempty"`
	Capabilities any               `json:"capabilities,omitempty"`
	Native       []string          `json:"native,omitempty"`
	Syntax       modules           `json:"syntax,omitempty"`
	wasm         []byte
}

var operations = map[string]func(context.Context, *request) (*answer, error){
	"build":        build,
	"capabilities": capabilities,
	"check":        check,
	"eval":         eval,
	"format":       formatSources,
	"syntax":       syntax,
	"test":         test,
}

func answerText(text string) (string, []byte) {
	result := dispatch(text)
	out, err := json.Marshal(result)
	if err != nil {
		out, _ = json.Marshal(answer{Fault: err.Error()})
		return string(out), nil
	}
	return string(out), result.wasm
}

func dispatch(text string) (result *answer) {
	defer func() {
		if reason := recover(); reason != nil {
			result = &answer{Fault: fmt.Sprint("panic: ", reason)}
		}
	}()
	var req request
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&req); err != nil {
		return &answer{Fault: "request: " + err.Error()}
	}
	operation, known := operations[req.Op]
	if !known {
		return &answer{Fault: "unknown operation " + req.Op}
	}
	result, err := operation(context.Background(), &req)
	if err != nil {
		return &answer{Problems: problemsOf(err)}
	}
	return result
}

func (req *request) capabilitySet() (*ast.Capabilities, error) {
	if len(req.Capabilities) == 0 {
		return ast.CapabilitiesForThisVersion(), nil
	}
	return ast.LoadCapabilitiesJSON(strings.NewReader(string(req.Capabilities)))
}

// helpers are print, which a build takes out, and what the tester puts into tests. No decision can see them.
var helpers = []*ast.Builtin{ast.Print, ast.InternalPrint, ast.InternalTestCase}

func (req *request) withHelpers() (*ast.Capabilities, error) {
	caps, err := req.capabilitySet()
	if err != nil {
		return nil, err
	}
	for _, helper := range helpers {
		if !slices.ContainsFunc(caps.Builtins, func(have *ast.Builtin) bool { return have.Name == helper.Name }) {
			caps.Builtins = append(caps.Builtins, helper)
		}
	}
	return caps, nil
}
