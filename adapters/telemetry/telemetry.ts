/** Metrics, traces and log lines of one kernel, as far as the configuration asks for them. */
import { KernelError } from '../../core/error.ts'
import type { Readiness } from '../../core/kernel.ts'
import type { Observer } from '../../core/observe.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { EventLog, EventLogOptions } from './eventlog.ts'
import type { ExportOutcome, ExportState, Metrics } from './metrics.ts'
import { Requests } from './requests.ts'

export interface TelemetryOptions {
  readonly clock: Clock
  readonly metrics: boolean
  readonly traces: boolean
  readonly log?: EventLogOptions & { readonly requests: boolean }
}

/** Changes of the policy folder. */
export type PolicyNews =
  | { readonly kind: 'active' }
  | { readonly kind: 'refused'; readonly error: unknown }

/** What an exporter tells. */
export interface ExportWatch {
  done(outcome: ExportOutcome, count: number): void
  failed(code: string): void
  /** After failures. */
  resumed(): void
  /** The receiver will never take `count` events from `index` on. */
  quarantined(index: bigint, count: number, status: number): void
}

/** What came of one question to two engines; where they differ, digests and a place, and nothing of what was asked or answered. */
export type EngineComparison =
  | { readonly outcome: 'same' | 'uncompared' }
  | {
      readonly outcome: 'mismatch'
      readonly digest: string
      readonly revision: string
      readonly entrypoint: string
      readonly pointer: string
      readonly first: EngineAnswer
      readonly second: EngineAnswer
    }
interface EngineAnswer {
  readonly engine: string
  readonly answer: string
}

/** Of signed policies: what serves, and how sure it is that nothing newer exists. */
export interface BundleStanding {
  readonly release: { readonly counter: number; readonly content: string } | undefined
  /** Unix milliseconds; undefined: the source never said anything. */
  readonly confirmedAt: number | undefined
  readonly stale: boolean
}

const LOOK_MS = 1000

export class Telemetry {
  readonly observer: Observer
  readonly log: EventLog | undefined
  readonly #metrics: Metrics | undefined
  readonly #requests: Requests
  readonly #exports: (() => ExportState & { readonly failing: boolean })[] = []
  #readiness: (() => Readiness) | undefined
  #standing: (() => BundleStanding) | undefined
  #policyStale = false
  #wasReady = true
  #looking: ReturnType<typeof setInterval> | undefined

  private constructor(
    options: TelemetryOptions,
    { metrics, log, observers }: Parts & { readonly observers: readonly Observer[] },
  ) {
    this.#metrics = metrics
    this.log = log
    this.observer = all(observers)
    const { clock, traces } = options
    this.#requests = new Requests({
      clock,
      metrics,
      log: options.log?.requests === true ? log : undefined,
      traces,
    })
  }

  static async open(options: TelemetryOptions): Promise<Telemetry> {
    const metrics = options.metrics
      ? new (await import('./metrics.ts')).Metrics(options.clock)
      : undefined
    const log = options.log && (await import('./eventlog.ts')).openEventLog(options.log)
    const observers: Observer[] = []
    if (metrics) observers.push(metrics.observer)
    if (options.traces) observers.push((await import('./tracing.ts')).tracing)
    if (log) observers.push((await import('./lines.ts')).lines(log))
    return new Telemetry(options, { metrics, log, observers })
  }

  /** Looks after `kernel` from now on. */
  attach(kernel: { readiness(): Readiness }): void {
    this.#readiness = () => kernel.readiness()
    if (this.log === undefined) return
    this.#looking = setInterval(() => this.#look(), LOOK_MS)
    this.#looking.unref()
  }

  /** Says how old the signed policies may be. */
  follow(standing: (() => BundleStanding) | undefined): void {
    this.#standing = standing
  }

  /** What a transport shows: each request is counted, logged, and runs in its caller's trace. */
  get operations(): {
    readonly metrics: (() => Promise<{ contentType: string; body: string }>) | undefined
    readonly degraded: () => readonly string[]
    readonly bundle: () => object | undefined
    readonly around: Requests['around']
  } {
    return {
      metrics: this.#scrape,
      degraded: () => this.degraded(),
      bundle: () => this.#bundle(),
      around: (asked, answer) => this.#requests.around(asked, answer),
    }
  }

  get #scrape(): (() => Promise<{ contentType: string; body: string }>) | undefined {
    const metrics = this.#metrics
    if (metrics === undefined) return undefined
    return async () => ({ contentType: metrics.contentType, body: await this.#text(metrics) })
  }

  /** Stable codes of what does not work beside the decisions. */
  degraded(): readonly string[] {
    const codes: string[] = []
    if (this.#policyStale) codes.push('policy_stale')
    if (this.#standing?.().stale === true) codes.push('policy_unconfirmed')
    if (this.#exports.some((state) => state().failing)) codes.push('export_failing')
    return codes
  }

  #bundle(): object | undefined {
    const standing = this.#standing?.()
    if (standing === undefined) return undefined
    const { confirmedAt, release, stale } = standing
    const confirmed = confirmedAt === undefined ? null : Math.floor(confirmedAt / 1000)
    return {
      revision: release?.counter ?? null,
      content: release?.content ?? null,
      confirmed,
      stale,
    }
  }

  /** Takes note of what becomes of the policy folder and passes it on. */
  policies<News extends PolicyNews>(next: (news: News) => void = () => {}): (news: News) => void {
    return (news) => {
      this.#policyStale = news.kind === 'refused'
      if (news.kind === 'refused') this.log?.write('error', 'policy_refused', codeOf(news.error))
      next(news)
    }
  }

  compared(comparison: EngineComparison): void {
    this.#metrics?.compared(comparison.outcome)
    if (comparison.outcome !== 'mismatch') return
    const { digest, entrypoint, first, pointer, revision, second } = comparison
    const answers = [first, second].map(({ answer, engine }) => `${engine} ${answer}`)
    const fields = { digest, revision, entrypoint, place: pointer, answers }
    this.log?.write('error', 'engine_mismatch', fields)
  }

  exporting(
    name: string,
    state: () => { readonly position: bigint; readonly failing: boolean },
  ): ExportWatch {
    this.#exports.push(() => {
      const { failing, position } = state()
      return { name, failing, position }
    })
    const exporter = { exporter: name }
    return {
      done: (outcome, count) => this.#metrics?.exported(name, outcome, count),
      failed: (code) => {
        this.#metrics?.exportFailed(name, code)
        this.log?.write('warn', 'export_failed', { ...exporter, code })
      },
      resumed: () => this.log?.write('info', 'export_resumed', exporter),
      quarantined: (index, events, status) => {
        const fields = { ...exporter, events, index: index.toString(), status }
        this.log?.write('error', 'export_quarantined', fields)
      },
    }
  }

  close(): void {
    clearInterval(this.#looking)
    this.log?.flush()
  }

  async #text(metrics: Metrics): Promise<string> {
    const readiness = this.#readiness?.()
    if (readiness === undefined) return await metrics.text(undefined)
    const exports = this.#exports.map((state) => state())
    const degraded = [...readiness.degraded, ...this.degraded()]
    const { confirmedAt } = this.#standing?.() ?? {}
    const policyStale = this.#policyStale
    return await metrics.text({ readiness, degraded, policyStale, confirmedAt, exports })
  }

  #look(): void {
    const readiness = this.#readiness?.()
    if (readiness === undefined || readiness.ready === this.#wasReady) return
    this.#wasReady = readiness.ready
    if (readiness.ready) this.log?.write('info', 'ready')
    else this.log?.write('error', 'not_ready', { problems: readiness.problems })
  }
}

interface Parts {
  readonly metrics: Metrics | undefined
  readonly log: EventLog | undefined
}

function codeOf(error: unknown): { code: string } {
  return { code: error instanceof KernelError ? error.code : 'internal' }
}

/** One observer for several. */
function all(observers: readonly Observer[]): Observer {
  const merged: Record<string, unknown> = {}
  const names = new Set(observers.flatMap((observer) => Object.keys(observer)))
  for (const name of names) {
    const calls = observers.flatMap((observer) => {
      const call = observer[name as keyof Observer] as ((...seen: unknown[]) => void) | undefined
      return call === undefined ? [] : [call]
    })
    merged[name] =
      calls.length === 1
        ? calls[0]
        : (...seen: unknown[]): void => {
            for (const call of calls) call(...seen)
          }
  }
  return merged
}
