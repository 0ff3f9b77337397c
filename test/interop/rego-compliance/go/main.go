// Command compliance turns OPA's own cases (v1/test/cases of the opa module) into what an engine for compiled policies can be scored on:
// for each case the plan, the WebAssembly module, data, input, and the answer of OPA's evaluator with the types of its values.
//
//	compliance FOLDER GROUPS
//
// writes cases-N.jsonl and wasm-N.bin for each group: one case a line, and the modules one behind another in the same order, each as
// long as its case says. Equal arguments give equal bytes. A case whose answer is not the one that OPA's own test wants is an error.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"

	"github.com/open-policy-agent/opa/v1/test/cases"
	"github.com/open-policy-agent/opa/v1/test/cases/testdata"
	"github.com/open-policy-agent/opa/v1/util"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 2 {
		return fmt.Errorf("usage: compliance FOLDER GROUPS")
	}
	groups, err := strconv.Atoi(args[1])
	if err != nil || groups < 1 {
		return fmt.Errorf("not a number of groups: %s", args[1])
	}
	all, err := load()
	if err != nil {
		return err
	}
	outcomes := prepareAll(all)
	for group := range groups {
		if err := write(args[0], group, groups, outcomes); err != nil {
			return err
		}
	}
	return nil
}

// load reads the cases in the order of their paths. Those of v0 are left alone: v1's were made from them, and compiled they are the same.
func load() ([]cases.TestCase, error) {
	var all []cases.TestCase
	// OPA calls its notes unique; some are not.
	seen := map[string]int{}
	err := fs.WalkDir(testdata.V1, ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		text, err := testdata.V1.ReadFile(path)
		if err != nil {
			return err
		}
		var set cases.Set
		if err := util.Unmarshal(text, &set); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		for _, each := range set.Cases {
			each.Filename = path
			if seen[each.Note]++; seen[each.Note] > 1 {
				each.Note = fmt.Sprintf("%s (%d)", each.Note, seen[each.Note])
			}
			all = append(all, each)
		}
		return nil
	})
	return all, err
}

type result struct {
	outcome outcome
	wasm    []byte
	err     error
}

// prepareAll works on as many cases at once as there are processors.
func prepareAll(all []cases.TestCase) []result {
	results := make([]result, len(all))
	next := make(chan int)
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				results[i].outcome, results[i].wasm, results[i].err = prepare(all[i])
			}
		})
	}
	for i := range all {
		next <- i
	}
	close(next)
	workers.Wait()
	return results
}

// write takes every case whose number is `group` modulo `groups`: families spread over all groups, which makes them equally long.
func write(folder string, group, groups int, results []result) (err error) {
	lines, err := os.Create(filepath.Join(folder, fmt.Sprintf("cases-%d.jsonl", group)))
	if err != nil {
		return err
	}
	defer lines.Close()
	modules, err := os.Create(filepath.Join(folder, fmt.Sprintf("wasm-%d.bin", group)))
	if err != nil {
		return err
	}
	defer modules.Close()
	buffered, code := bufio.NewWriter(lines), bufio.NewWriter(modules)
	encoder := json.NewEncoder(buffered)
	encoder.SetEscapeHTML(false)
	for i := group; i < len(results); i += groups {
		if results[i].err != nil {
			return fmt.Errorf("%s: %w", results[i].outcome.ID, results[i].err)
		}
		if err := encoder.Encode(results[i].outcome); err != nil {
			return err
		}
		if _, err := code.Write(results[i].wasm); err != nil {
			return err
		}
	}
	if err := buffered.Flush(); err != nil {
		return err
	}
	return code.Flush()
}
