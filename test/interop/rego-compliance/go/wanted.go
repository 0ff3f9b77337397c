package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/test/cases"
	"github.com/open-policy-agent/opa/v1/topdown"
)

// now is the time of every evaluation: what tests are given must not depend on the day.
var now = time.Unix(1_790_000_000, 0)

// wanted asks OPA's evaluator, holds its answer against what OPA's own test wants, and keeps it with the types that JSON would lose.
func wanted(out *outcome, test cases.TestCase, source *compiled, input *ast.Term) error {
	rows, failure := source.evaluate(test, input, test.StrictError)
	if err := sound(test, rows, failure); err != nil {
		return err
	}
	out.Want, out.WantError = told(rows, failure)
	if test.StrictError {
		out.Lenient, out.LenientError = told(source.evaluate(test, input, false))
	}
	return nil
}

// sound holds an answer against what OPA's own test wants.
func sound(test cases.TestCase, rows topdown.QueryResultSet, failure error) error {
	if test.WantErrorCode != nil && code(failure) != *test.WantErrorCode {
		return fmt.Errorf("the error %s is wanted, not %v", *test.WantErrorCode, failure)
	}
	if test.WantError != nil && (failure == nil || !strings.Contains(failure.Error(), *test.WantError)) {
		return fmt.Errorf("the error %q is wanted, not %v", *test.WantError, failure)
	}
	if test.WantErrorCode != nil || test.WantError != nil {
		return nil
	}
	if failure != nil || test.WantResult == nil {
		return fmt.Errorf("a result is wanted, not %v", failure)
	}
	got, err := bindings(rows, test.SortBindings)
	if err != nil {
		return err
	}
	if want := expected(*test.WantResult); want.Compare(got) != 0 {
		return fmt.Errorf("%v is wanted, not %v", want, got)
	}
	return nil
}

func told(rows topdown.QueryResultSet, failure error) (any, string) {
	if failure != nil {
		return nil, code(failure)
	}
	return typedRows(rows), ""
}

// code is OPA's name for an error, its whole text where it has none.
func code(failure error) string {
	var told *topdown.Error
	if errors.As(failure, &told) {
		return told.Code
	}
	return fmt.Sprint(failure)
}

func (source *compiled) evaluate(test cases.TestCase, input *ast.Term, strict bool) (topdown.QueryResultSet, error) {
	ctx := context.Background()
	store := inmem.New()
	if test.Data != nil {
		store = inmem.NewFromObject(*test.Data)
	}
	txn, err := store.NewTransaction(ctx, storage.TransactionParams{})
	if err != nil {
		return nil, err
	}
	defer store.Abort(ctx, txn)
	return topdown.NewQuery(source.query).
		WithCompiler(source.compiler).
		WithStore(store).
		WithTransaction(txn).
		WithInput(input).
		WithTime(now).
		WithStrictBuiltinErrors(strict).
		Run(ctx)
}

// generated are variables that the compiler makes for a query: engines do not answer with them.
func generated(name ast.Var) bool {
	return strings.HasPrefix(string(name), "__localq")
}

func expected(rows []map[string]any) ast.Set {
	set := ast.NewSet()
	for _, row := range rows {
		object := ast.NewObject()
		for name, value := range row {
			object.Insert(ast.StringTerm(name), ast.NewTerm(ast.MustInterfaceToValue(value)))
		}
		set.Add(ast.NewTerm(object))
	}
	return set
}

// bindings are the rows as OPA's own tests compare them: as JSON.
func bindings(rows topdown.QueryResultSet, sorted bool) (ast.Set, error) {
	set := ast.NewSet()
	for _, row := range rows {
		object := ast.NewObject()
		for name, term := range row {
			if generated(name) {
				continue
			}
			plain, err := ast.JSON(term.Value)
			if err != nil {
				return nil, err
			}
			value := ast.MustInterfaceToValue(plain)
			if array, ok := value.(*ast.Array); ok && sorted {
				value = array.Sorted()
			}
			object.Insert(ast.StringTerm(string(name)), ast.NewTerm(value))
		}
		set.Add(ast.NewTerm(object))
	}
	return set, nil
}

func typedRows(rows topdown.QueryResultSet) any {
	set := ast.NewSet()
	for _, row := range rows {
		object := ast.NewObject()
		for name, term := range row {
			if !generated(name) {
				object.Insert(ast.StringTerm(string(name)), term)
			}
		}
		set.Add(ast.NewTerm(object))
	}
	return typed(set)
}
