/** Prometheus metrics of one kernel: events are counted as they happen, states are read when somebody scrapes. */
import type { Registry } from 'prom-client'
import type { Readiness } from '../../core/kernel.ts'
import type { Observer } from '../../core/observe.ts'
import type { Clock } from '../../core/ports/clock.ts'
import { Bounded, type Instruments, openInstruments } from './instruments.ts'

/** How far an exporter is. */
export interface ExportState {
  readonly name: string
  readonly position: bigint
}

/** What came of one event: the receiver took it, a rule left it out, or the receiver refused it for good. */
export type ExportOutcome = 'dropped' | 'quarantined' | 'sent'

/** What is read at each scrape. */
export interface Scraped {
  readonly readiness: Readiness
  readonly degraded: readonly string[]
  readonly policyStale: boolean
  /** Of signed policies, Unix milliseconds. */
  readonly confirmedAt: number | undefined
  readonly exports: readonly ExportState[]
}

const MAX_REASONS = 256
const MAX_CODES = 64

export class Metrics {
  readonly contentType: string
  readonly observer: Observer
  readonly #registry: Registry
  readonly #all: Instruments
  readonly #clock: Clock
  readonly #codes = new Bounded(MAX_CODES)

  constructor(clock: Clock) {
    const { registry, all } = openInstruments()
    this.#clock = clock
    this.#registry = registry
    this.#all = all
    this.contentType = registry.contentType
    this.observer = { ...decisions(all), ...machinery(all, clock, this.#codes) }
  }

  compared(outcome: string): void {
    this.#all.compared.inc({ outcome })
  }

  requested(route: string, status: number, durationMs: number): void {
    this.#all.requests.inc({ route, status: String(status) })
    this.#all.request.observe(durationMs / 1000)
  }

  exported(exporter: string, outcome: ExportOutcome, count: number): void {
    this.#all.exported.inc({ exporter, outcome }, count)
    if (outcome === 'sent') this.#all.exportSince.set({ exporter }, this.#clock.now() / 1000)
  }

  exportFailed(exporter: string, code: string): void {
    this.#all.exportFailures.inc({ exporter, code: this.#codes.of(code) })
  }

  /** The text of a scrape. @see https://prometheus.io/docs/instrumenting/exposition_formats */
  text(scraped: Scraped | undefined): Promise<string> {
    if (scraped) this.#read(scraped)
    return this.#registry.metrics()
  }

  #read({ readiness, confirmedAt, degraded, policyStale, exports }: Scraped): void {
    const all = this.#all
    const { inFlight, outbox, problems, ready } = readiness
    const [size, sealed] = [Number(readiness.size), Number(readiness.sealed)]
    all.inFlight.set(inFlight)
    all.outbox.set(outbox)
    all.size.set(size)
    all.sealed.set(sealed)
    all.backlog.set(size - sealed)
    all.ready.set(ready ? 1 : 0)
    all.problem.reset()
    for (const code of [...problems, ...degraded])
      all.problem.set({ code: this.#codes.of(code) }, 1)
    all.policyStale.set(policyStale ? 1 : 0)
    if (confirmedAt !== undefined) all.policyConfirmed.set(confirmedAt / 1000)
    for (const { name, position } of exports) {
      all.exportPosition.set({ exporter: name }, Number(position))
      all.exportBacklog.set({ exporter: name }, Math.max(0, size - Number(position)))
    }
  }
}

function decisions(all: Instruments): Observer {
  const reasons = new Bounded(MAX_REASONS)
  const word = (allow: boolean): string => (allow ? 'allow' : 'deny')
  return {
    decided({ action, allow, durations, reasons: given, seal }) {
      const reason = reasons.of(given[0]?.code ?? 'none')
      all.decisions.inc({ action, decision: word(allow), reason })
      if (seal === 'committed_unsealed') all.unsealed.inc()
      if (durations === undefined) return
      all.total.observe(durations.total / 1000)
      all.facts.observe(durations.facts / 1000)
      all.policy.observe(durations.policy / 1000)
      all.commit.observe(durations.commit / 1000)
    },
    checked: (action, allow) => all.checks.inc({ action, decision: word(allow) }),
    noDecision: (code) => all.noDecisions.inc({ code }),
  }
}

function machinery(all: Instruments, clock: Clock, codes: Bounded): Observer {
  return {
    refused: (source, code) => all.refused.inc({ source: codes.of(source), code: codes.of(code) }),
    group(size, durationMs) {
      all.groupSize.observe(size)
      all.group.observe(durationMs / 1000)
    },
    storeFailed: (code) => all.storeFailures.inc({ code }),
    sealed: (_size, durationMs) => all.seal.observe(durationMs / 1000),
    sealFailed: () => all.sealFailures.inc(),
    shadowed: (action, change) => all.shadowed.inc({ action, change }),
    activated(digest, revision) {
      all.policyInfo.reset()
      all.policyInfo.set({ digest, revision }, 1)
      all.policySince.set(clock.now() / 1000)
    },
  }
}
