/** The kernel's events as log lines. Decisions are at `debug`: they have a log of their own, which nobody can edit. */
import type { Observer } from '../../core/observe.ts'
import type { EventLog } from './eventlog.ts'
import type { Fields } from './fields.ts'
import { traceId } from './tracing.ts'

export function lines(log: EventLog): Observer {
  return {
    decided({ id, action, allow, durations, index, reasons }) {
      if (!log.enabled('debug')) return
      log.write('debug', 'decision', {
        action,
        allow,
        decision_id: id,
        ...(index === undefined ? {} : { index: index.toString() }),
        reasons: reasons.map(({ code }) => code),
        ...(durations && { duration_ms: rounded(durations.total) }),
        ...inTrace(),
      })
    },
    noDecision: (code) => log.write('warn', 'no_decision', { code, ...inTrace() }),
    refused: (source, code) => log.write('debug', 'refused', { code, source }),
    storeFailed: (code) => log.write('error', 'store_failed', { code }),
    sealFailed: () => log.write('error', 'seal_failed'),
    activated: (digest, revision) => log.write('info', 'policy_active', { digest, revision }),
  }
}

/** Microseconds are enough. */
export function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000
}

export function inTrace(): Fields {
  const id = traceId()
  return id === undefined ? {} : { trace_id: id }
}
