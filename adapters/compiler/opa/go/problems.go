package main

import (
	"errors"
	"strings"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// errorLimit bounds the problems of one answer: past it, the rest are consequences.
const errorLimit = 100

// problem says where a source is wrong. Row and column count from 1; a problem of the whole set has no file.
type problem struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	File    string `json:"file,omitempty"`
	Row     int    `json:"row,omitempty"`
	Col     int    `json:"col,omitempty"`
}

func (p problem) at(location *ast.Location) problem {
	if location != nil {
		p.File, p.Row, p.Col = location.File, max(location.Row, 1), max(location.Col, 1)
	}
	return p
}

// located makes a problem of our own travel as an error.
type located struct{ problems []problem }

func (l located) Error() string { return l.problems[0].Message }

func refuse(code, message string) error {
	return located{[]problem{{Code: code, Message: message}}}
}

func problemsOf(err error) []problem {
	var ours located
	var several ast.Errors
	var single *ast.Error
	var evaluation *topdown.Error
	switch {
	case errors.As(err, &ours):
		return ours.problems
	case errors.As(err, &several):
		out := make([]problem, 0, len(several))
		for _, one := range several {
			out = append(out, problemOf(one))
		}
		return out
	case errors.As(err, &single):
		return []problem{problemOf(single)}
	case errors.As(err, &evaluation):
		return []problem{problem{Code: evaluation.Code, Message: evaluation.Message}.at(evaluation.Location)}
	}
	return []problem{{Code: "rego_error", Message: err.Error()}}
}

// problemOf keeps the details of a type error (have, want) and leaves out those of a parse error, which quote the source.
func problemOf(err *ast.Error) problem {
	message := err.Message
	if err.Details != nil && err.Code == ast.TypeErr {
		message += " (" + strings.Join(trimmed(err.Details.Lines()), "; ") + ")"
	}
	return problem{Code: err.Code, Message: message}.at(err.Location)
}

func trimmed(lines []string) []string {
	out := make([]string, 0, len(lines))
	for _, line := range lines {
		if line = strings.TrimSpace(line); line != "" {
			out = append(out, line)
		}
	}
	return out
}
