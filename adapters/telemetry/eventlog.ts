/** Structured lines about the server itself, through pino: one event a line, with the fields of `fields.ts` alone. */
import { type DestinationStream, destination, pino } from 'pino'
import { allowed, type Fields } from './fields.ts'

export type Level = 'debug' | 'error' | 'info' | 'warn'

/** What a line can be about. `docs/operations.md` says what each means. */
export type EventName =
  | 'engine_mismatch'
  | 'decision'
  | 'expiry_failed'
  | 'export_failed'
  | 'export_quarantined'
  | 'export_resumed'
  | 'listening'
  | 'no_decision'
  | 'not_ready'
  | 'peer'
  | 'policy_active'
  | 'policy_refused'
  | 'ready'
  | 'refused'
  | 'request'
  | 'retention_failed'
  | 'rotation_failed'
  | 'seal_failed'
  | 'stopping'
  | 'store_failed'
  | 'sweep_failed'

export interface EventLogOptions {
  readonly level: Level
  /** `json`: one object a line. `text`: `time level event name=value ...`. */
  readonly format: 'json' | 'text'
  /** In every line, where there are several. */
  readonly realm?: string | undefined
  /** Default: standard error. */
  readonly stream?: DestinationStream
}

export interface EventLog {
  write(level: Level, event: EventName, fields?: Fields): void
  /** So that a caller need not put together what nobody will read. */
  enabled(level: Level): boolean
  flush(): void
}

const STDERR = 2
/** UTF-16 units that wait for a slow reader; more are dropped, since a decision must not wait for one. */
const MAX_BUFFERED = 1_048_576

export function openEventLog({ level, format, realm, stream }: EventLogOptions): EventLog {
  const stderr =
    stream === undefined
      ? destination({ dest: STDERR, sync: false, maxLength: MAX_BUFFERED })
      : undefined
  const sink = stream ?? (stderr as DestinationStream)
  const logger = pino(
    {
      level,
      base: realm === undefined ? null : { realm },
      messageKey: 'event',
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    format === 'json' ? sink : { write: (line) => sink.write(plain(line)) },
  )
  return {
    write: (at, event, fields = {}) => logger[at](allowed(fields), event),
    enabled: (at) => logger.isLevelEnabled(at),
    flush: () => stderr?.flushSync(),
  }
}

/** One line of JSON for people. */
function plain(line: string): string {
  const { time, level, event, ...fields } = JSON.parse(line) as Record<string, unknown>
  const pairs = Object.entries(fields).map(([name, value]) => `${name}=${shown(value)}`)
  return `${[time, level, event, ...pairs].join(' ')}\n`
}

function shown(value: unknown): string {
  return Array.isArray(value) ? value.join(',') : String(value)
}
