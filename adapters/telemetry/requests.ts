/** HTTP requests as metrics, traces and log lines see them: a route from the table of endpoints, a status, a duration. */
import type { Clock } from '../../core/ports/clock.ts'
import type { EventLog } from './eventlog.ts'
import type { Fields } from './fields.ts'
import { inTrace, rounded } from './lines.ts'
import type { Metrics } from './metrics.ts'
import { type Header, inTraceOf } from './tracing.ts'

export interface Asked {
  /** A pattern of the table of endpoints; `unknown` where there is none. */
  readonly route: string
  readonly header: Header
}
export interface AnswerSeen {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
}

export interface RequestOptions {
  readonly clock: Clock
  readonly metrics: Metrics | undefined
  /** Where a line is written for each. */
  readonly log: EventLog | undefined
  readonly traces: boolean
}

export class Requests {
  readonly #options: RequestOptions

  constructor(options: RequestOptions) {
    this.#options = options
  }

  around<Answer extends AnswerSeen>(
    { header, route }: Asked,
    answer: () => Promise<Answer>,
  ): Promise<Answer> {
    const { clock, metrics, traces } = this.#options
    const began = clock.monotonic()
    const seen = async (): Promise<Answer> => {
      const answered = await answer()
      const durationMs = clock.monotonic() - began
      metrics?.requested(route, answered.status, durationMs)
      this.#write(header, route, answered, durationMs)
      return answered
    }
    return traces ? inTraceOf(header, seen) : seen()
  }

  #write(header: Header, route: string, { headers, status }: AnswerSeen, durationMs: number): void {
    const { log } = this.#options
    if (log === undefined) return
    const fields: { -readonly [Name in keyof Fields]: Fields[Name] } = {
      duration_ms: rounded(durationMs),
      route,
      status,
      ...inTrace(),
    }
    const decisionId = headers['x-decision-id']
    const requestId = header('x-request-id')
    if (decisionId !== undefined) fields.decision_id = decisionId
    if (requestId !== undefined) fields.request_id = requestId
    log.write(status >= 500 ? 'warn' : 'info', 'request', fields)
  }
}
