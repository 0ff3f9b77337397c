// Command opa is OPA's own evaluator, embedded, as a peer of a benchmark: `opa KIND FOLDER`, then one command a line on stdin.
// `decide N` answers the first N decisions as ones and zeros; `run MS` decides for so long and answers decisions and CPU time.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/open-policy-agent/opa/v1/ast"
	"github.com/open-policy-agent/opa/v1/rego"
	"github.com/open-policy-agent/opa/v1/storage/inmem"
)

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

func main() {
	kind, folder := os.Args[1], os.Args[2]
	decide, count := peer(kind, folder)
	fmt.Println("ready")
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		command, text, _ := strings.Cut(lines.Text(), " ")
		number := must(strconv.Atoi(text))
		switch command {
		case "decide":
			var out strings.Builder
			for i := range number {
				out.WriteByte("01"[decide(i%count)])
			}
			fmt.Println(out.String())
		case "run":
			run(decide, count, time.Duration(number)*time.Millisecond)
		default:
			panic("no such command: " + command)
		}
	}
}

func run(decide func(int) int, count int, length time.Duration) {
	started, cpu := time.Now(), cpuMicros()
	decisions, allowed := 0, 0
	for time.Since(started) < length {
		for range 16 {
			allowed += decide(decisions % count)
			decisions++
		}
	}
	wall := time.Since(started).Microseconds()
	fmt.Printf("{\"decisions\":%d,\"allowed\":%d,\"cpuMicros\":%d,\"wallMicros\":%d}\n", decisions, allowed, cpuMicros()-cpu, wall)
}

// cpuMicros counts the collector's threads too.
func cpuMicros() int64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	return usage.Utime.Nano()/1000 + usage.Stime.Nano()/1000
}

func peer(kind, folder string) (func(int) int, int) {
	read := func(name string) []byte { return must(os.ReadFile(filepath.Join(folder, name))) }
	var data map[string]any
	if err := json.Unmarshal(read("data.json"), &data); err != nil {
		panic(err)
	}
	var raw []json.RawMessage
	if err := json.Unmarshal(read("inputs.json"), &raw); err != nil {
		panic(err)
	}
	inputs := make([]ast.Value, len(raw))
	for i, text := range raw {
		inputs[i] = must(ast.ValueFromReader(strings.NewReader(string(text))))
	}
	entrypoint := strings.ReplaceAll(strings.TrimSpace(string(read("entrypoint"))), "/", ".")
	ctx := context.Background()
	// Values of OPA's own kind in the store: its fast setting.
	store := inmem.NewFromObjectWithOpts(data, inmem.OptReturnASTValuesOnRead(true))
	prepared := must(rego.New(
		rego.Query("data."+entrypoint),
		rego.Module("policy.rego", string(read("policy.rego"))),
		rego.Store(store),
	).PrepareForEval(ctx))
	return func(i int) int {
		option := rego.EvalParsedInput(inputs[i])
		if kind == "opa-map" {
			var input any
			if err := json.Unmarshal(raw[i], &input); err != nil {
				panic(err)
			}
			option = rego.EvalInput(input)
		}
		results := must(prepared.Eval(ctx, option))
		if len(results) == 0 {
			return 0
		}
		value := results[0].Expressions[0].Value
		if object, isObject := value.(map[string]any); isObject {
			value = object["allow"]
		}
		if value == true {
			return 1
		}
		return 0
	}, len(raw)
}
