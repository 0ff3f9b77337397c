/**
 * Every metric of Assay, in one table; `docs/operations.md` lists the same. Labels have few values: actions come from the registry,
 * codes from closed sets or from policies, and a {@link Bounded} set ends what a policy could make up.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'

/** Seconds; a decision takes tens of microseconds, and a time-out five seconds. */
const SECONDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
]
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024]

export interface Instruments {
  readonly decisions: Counter<'action' | 'decision' | 'reason'>
  readonly checks: Counter<'action' | 'decision'>
  readonly noDecisions: Counter<'code'>
  readonly shadowed: Counter<'action' | 'change'>
  readonly compared: Counter<'outcome'>
  readonly refused: Counter<'code' | 'source'>
  readonly unsealed: Counter
  readonly storeFailures: Counter<'code'>
  readonly sealFailures: Counter
  readonly total: Histogram
  readonly facts: Histogram
  readonly policy: Histogram
  readonly commit: Histogram
  readonly groupSize: Histogram
  readonly group: Histogram
  readonly seal: Histogram
  readonly inFlight: Gauge
  readonly size: Gauge
  readonly sealed: Gauge
  readonly backlog: Gauge
  readonly outbox: Gauge
  readonly ready: Gauge
  readonly problem: Gauge<'code'>
  readonly policyInfo: Gauge<'digest' | 'revision'>
  readonly policySince: Gauge
  readonly policyStale: Gauge
  readonly policyConfirmed: Gauge
  readonly requests: Counter<'route' | 'status'>
  readonly request: Histogram
  readonly exportPosition: Gauge<'exporter'>
  readonly exportBacklog: Gauge<'exporter'>
  readonly exported: Counter<'exporter' | 'outcome'>
  readonly exportFailures: Counter<'code' | 'exporter'>
  readonly exportSince: Gauge<'exporter'>
}

function instruments(registry: Registry): Instruments {
  const about = (name: string, help: string) => ({ name, help, registers: [registry] })
  const counter = <L extends string>(name: string, help: string, ...labelNames: L[]): Counter<L> =>
    new Counter({ ...about(name, help), labelNames })
  const gauge = <L extends string>(name: string, help: string, ...labelNames: L[]): Gauge<L> =>
    new Gauge({ ...about(name, help), labelNames })
  const histogram = (name: string, help: string, buckets = SECONDS): Histogram =>
    new Histogram({ ...about(name, help), buckets })
  return { ...ofDecisions(), ...ofTheLog(), ...ofTheDoors() }

  function ofDecisions() {
    return {
      decisions: counter(
        'assay_decisions_total',
        'Decisions in the log, by their first reason',
        ...(['action', 'decision', 'reason'] as const),
      ),
      checks: counter('assay_checks_total', 'Dry runs', 'action', 'decision'),
      shadowed: counter('assay_shadow_total', 'Compared with a shadow', 'action', 'change'),
      compared: counter('assay_engine_compared_total', 'Asked of two engines', 'outcome'),
      noDecisions: counter('assay_no_decisions_total', 'Requests without a decision', 'code'),
      refused: counter('assay_refused_total', 'Refused before dispatch', 'code', 'source'),
      inFlight: gauge('assay_in_flight', 'Dispatches under way'),
      total: histogram('assay_decision_duration_seconds', 'From admission to the answer'),
      facts: histogram('assay_facts_duration_seconds', 'Facts of the last attempt'),
      policy: histogram('assay_policy_duration_seconds', 'Policy and planned effects'),
      commit: histogram('assay_commit_duration_seconds', 'Commit, with the wait for the seal'),
      policyInfo: gauge('assay_policy_info', '1 for the active policy', 'digest', 'revision'),
      policySince: gauge('assay_policy_activated_timestamp_seconds', 'When it became active'),
      policyStale: gauge('assay_policy_stale', '1 while a changed policy cannot serve'),
      policyConfirmed: gauge(
        'assay_policy_confirmed_timestamp_seconds',
        'When the source of signed policies said last that nothing newer exists',
      ),
    }
  }

  function ofTheLog() {
    return {
      groupSize: histogram('assay_group_size', 'Decisions in one durable write', SIZES),
      group: histogram('assay_group_duration_seconds', 'One durable write'),
      storeFailures: counter('assay_store_failures_total', 'Durable writes that failed', 'code'),
      seal: histogram('assay_seal_duration_seconds', 'One signature of a head'),
      sealFailures: counter('assay_seal_failures_total', 'Heads that could not be signed'),
      unsealed: counter('assay_unsealed_decisions_total', 'Answered before a head was signed'),
      size: gauge('assay_log_size', 'Leaves in the log'),
      sealed: gauge('assay_log_sealed_size', 'Leaves under the newest signed head'),
      backlog: gauge('assay_log_backlog', 'Leaves without a signed head'),
      outbox: gauge('assay_outbox_failed', 'External actions that wait for another attempt'),
    }
  }

  function ofTheDoors() {
    return {
      ready: gauge('assay_ready', '1 when decisions can be made'),
      problem: gauge('assay_problem', '1 for each code of /health/ready', 'code'),
      requests: counter('assay_http_requests_total', 'Answers over HTTP', 'route', 'status'),
      request: histogram('assay_http_request_duration_seconds', 'From headers to answer'),
      exportPosition: gauge('assay_export_position', 'The next leaf to send', 'exporter'),
      exportBacklog: gauge('assay_export_backlog', 'Leaves not sent yet', 'exporter'),
      exported: counter('assay_exported_total', 'Events that are done', 'exporter', 'outcome'),
      exportFailures: counter(
        'assay_export_failures_total',
        'Attempts that failed',
        ...(['code', 'exporter'] as const),
      ),
      exportSince: gauge('assay_export_success_timestamp_seconds', 'Last success', 'exporter'),
    }
  }
}

/** With the process's own metrics (`process_*`, `nodejs_*`), event loop lag among them. */
export function openInstruments(): { readonly registry: Registry; readonly all: Instruments } {
  const registry = new Registry()
  collectDefaultMetrics({ register: registry })
  return { registry, all: instruments(registry) }
}

/** At most `limit` different values; what comes later is `other`. */
export class Bounded {
  readonly #known = new Set<string>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  of(value: string): string {
    if (this.#known.has(value)) return value
    if (this.#known.size >= this.#limit) return 'other'
    this.#known.add(value)
    return value
  }
}
