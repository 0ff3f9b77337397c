package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/cover"
	"github.com/open-policy-agent/opa/v1/storage"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
	"github.com/open-policy-agent/opa/v1/tester"
	"github.com/open-policy-agent/opa/v1/topdown"
	"github.com/open-policy-agent/opa/v1/util"
)

type testCase struct {
	Package string `json:"package"`
	Name    string `json:"name"`
	Outcome string `json:"outcome"`
	Message string `json:"message,omitempty"`
	File    string `json:"file"`
	Row     int    `json:"row"`
}

type span struct {
	From int `json:"from"`
	To   int `json:"to"`
}

type fileCoverage struct {
	File       string  `json:"file"`
	Percent    float64 `json:"percent"`
	NotCovered []span  `json:"notCovered"`
}

type coverage struct {
	Percent float64        `json:"percent"`
	Files   []fileCoverage `json:"files"`
}

func test(ctx context.Context, req *request) (*answer, error) {
	if _, err := regexp.Compile(req.Run); err != nil {
		return nil, refuse("invalid_filter", err.Error())
	}
	run := testRun{req: req, filter: req.Run}
	if req.Coverage {
		run.cover = cover.New()
	}
	results, parsed, err := run.all(ctx)
	if err != nil {
		return nil, err
	}
	explained, err := explain(ctx, req, results)
	if err != nil {
		return nil, err
	}
	result := &answer{Tests: []testCase{}}
	for _, one := range results {
		result.Tests = append(result.Tests, report(one, explained))
	}
	if run.cover != nil {
		result.Coverage = measure(run.cover, parsed)
	}
	return result, nil
}

type testRun struct {
	req    *request
	filter string
	cover  *cover.Cover
	trace  bool
}

func (run *testRun) all(ctx context.Context) ([]*tester.Result, modules, error) {
	caps, err := run.req.withHelpers()
	if err != nil {
		return nil, nil, err
	}
	parsed, err := run.req.sound(caps)
	if err != nil {
		return nil, nil, err
	}
	compiler, err := run.req.compiler(caps)
	if err != nil {
		return nil, nil, err
	}
	document, err := run.req.document()
	if err != nil {
		return nil, nil, err
	}
	store := inmem.NewFromObjectWithOpts(document, inmem.OptRoundTripOnWrite(false))
	txn, err := store.NewTransaction(ctx, storage.TransactionParams{})
	if err != nil {
		return nil, nil, err
	}
	defer store.Abort(ctx, txn)
	runner := tester.NewRunner().
		SetCompiler(compiler.WithEnablePrintStatements(true)).
		SetStore(store).
		SetModules(parsed).
		SetParallel(1).
		SetTimeout(time.Hour). // the host's deadline ends a test that does not end
		SetCoverageRuns(nil).
		EnableTracing(run.trace).
		Filter(run.filter)
	if run.cover != nil {
		runner.SetCoverageQueryTracer(run.cover)
	}
	channel, err := runner.RunTests(ctx, txn)
	if err != nil {
		return nil, nil, err
	}
	var results []*tester.Result
	for one := range channel {
		results = append(results, one)
	}
	slices.SortFunc(results, func(a, b *tester.Result) int {
		return cmp.Or(cmp.Compare(a.Location.File, b.Location.File), cmp.Compare(a.Location.Row, b.Location.Row), cmp.Compare(a.Name, b.Name))
	})
	return results, parsed, nil
}

func fullName(one *tester.Result) string { return one.Package + "." + one.Name }

// explain runs what failed again, traced: coverage and a trace exclude each other in OPA's runner.
func explain(ctx context.Context, req *request, results []*tester.Result) (map[string]string, error) {
	var failed []string
	for _, one := range results {
		if one.Fail {
			failed = append(failed, regexp.QuoteMeta(fullName(one)))
		}
	}
	if failed == nil {
		return nil, nil
	}
	again := testRun{req: req, filter: "^(" + strings.Join(failed, "|") + ")$", trace: true}
	traced, _, err := again.all(ctx)
	if err != nil {
		return nil, err
	}
	reasons := map[string]string{}
	for _, one := range traced {
		reasons[fullName(one)] = failedAt(one)
	}
	return reasons, nil
}

// failedAt names the last expression of the test's own file that did not hold.
func failedAt(one *tester.Result) string {
	for _, event := range slices.Backward(one.Trace) {
		if event.Op != topdown.FailOp || event.Location == nil || event.Location.File != one.Location.File {
			continue
		}
		if _, isExpression := event.Node.(*ast.Expr); isExpression {
			return fmt.Sprintf("row %d does not hold: %s", event.Location.Row, firstLine(string(event.Location.Text)))
		}
	}
	return ""
}

func firstLine(text string) string {
	line, _, more := strings.Cut(text, "\n")
	if more {
		line += " ..."
	}
	return line
}

func report(one *tester.Result, explained map[string]string) testCase {
	out := testCase{Package: one.Package, Name: one.Name, Outcome: "pass", File: one.Location.File, Row: one.Location.Row}
	var parts []string
	switch {
	case one.Skip:
		out.Outcome = "skip"
	case one.Error != nil:
		out.Outcome = "error"
		parts = append(parts, errorText(one.Error))
	case one.Fail:
		out.Outcome = "fail"
		parts = append(parts, explained[fullName(one)])
		for path, sub := range one.SubResults.Iter {
			if sub.Fail && len(sub.SubResults) == 0 {
				parts = append(parts, "case "+strings.Join(path, " / "))
			}
		}
	}
	if out.Outcome != "pass" {
		parts = append(parts, strings.TrimSpace(string(one.Output)))
	}
	out.Message = strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), "\n")
	return out
}

func errorText(err error) string {
	var evaluation *topdown.Error
	if errors.As(err, &evaluation) && evaluation.Location != nil {
		return fmt.Sprintf("row %d: %s: %s", evaluation.Location.Row, evaluation.Code, evaluation.Message)
	}
	return err.Error()
}

// measure counts policy files only: tests cover themselves.
func measure(tracer *cover.Cover, parsed modules) *coverage {
	measured := tracer.Report(parsed)
	out := &coverage{Percent: 100, Files: []fileCoverage{}}
	covered, total := 0, 0
	for _, name := range util.KeysSorted(parsed) {
		if strings.HasSuffix(name, "_test.rego") {
			continue
		}
		file := measured.Files[name]
		lines := file.CoveredLines + file.NotCoveredLines
		entry := fileCoverage{File: name, Percent: 100, NotCovered: spans(file.NotCovered)}
		if lines > 0 {
			entry.Percent = 100 * float64(file.CoveredLines) / float64(lines)
		}
		covered, total = covered+file.CoveredLines, total+lines
		out.Files = append(out.Files, entry)
	}
	if total > 0 {
		out.Percent = 100 * float64(covered) / float64(total)
	}
	return out
}

// spans joins ranges that touch or overlap. OPA sorts them by start.
func spans(ranges []cover.Range) []span {
	out := []span{}
	for _, one := range ranges {
		if last := len(out) - 1; last >= 0 && one.Start.Row <= out[last].To+1 {
			out[last].To = max(out[last].To, one.End.Row)
			continue
		}
		out = append(out, span{From: one.Start.Row, To: one.End.Row})
	}
	return out
}
