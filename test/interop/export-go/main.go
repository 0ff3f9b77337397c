// Reads what Assay exports with the types that its receivers use: OPA's own event of a decision log, and the protobuf definitions of
// OTLP. A member that they do not know is an error. Prints the ids of the decisions, one a line.
package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"

	"github.com/open-policy-agent/opa/v1/plugins/logs"
	collector "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/encoding/protojson"
)

func main() {
	read := map[string]func(io.Reader) ([]string, error){"opa-logs": opaLogs, "otlp": otlp}[os.Args[1]]
	ids, err := read(os.Stdin)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	for _, id := range ids {
		fmt.Println(id)
	}
}

func opaLogs(source io.Reader) ([]string, error) {
	decoder := json.NewDecoder(source)
	decoder.DisallowUnknownFields()
	var events []logs.EventV1
	if err := decoder.Decode(&events); err != nil {
		return nil, err
	}
	var ids []string
	for _, event := range events {
		if event.Path == "" || event.Timestamp.IsZero() || event.Result == nil {
			return nil, fmt.Errorf("%s lacks a path, a time or a result", event.DecisionID)
		}
		ids = append(ids, event.DecisionID)
	}
	return ids, nil
}

func otlp(source io.Reader) ([]string, error) {
	text, err := io.ReadAll(source)
	if err != nil {
		return nil, err
	}
	var request collector.ExportLogsServiceRequest
	if err := protojson.Unmarshal(text, &request); err != nil {
		return nil, err
	}
	var ids []string
	for _, resource := range request.ResourceLogs {
		for _, scope := range resource.ScopeLogs {
			for _, record := range scope.LogRecords {
				if record.TimeUnixNano == 0 || record.EventName != "authz.decision" {
					return nil, fmt.Errorf("a record lacks its time or its event")
				}
				for _, attribute := range record.Attributes {
					if attribute.Key == "authz.decision_id" {
						ids = append(ids, attribute.Value.GetStringValue())
					}
				}
			}
		}
	}
	return ids, nil
}
