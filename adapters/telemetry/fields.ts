/**
 * What a log line may hold: the fields of this table, in these forms, and nothing else. A value of another form is left out, so that no
 * header, body, token or message can come into a line by mistake: there is no field that it would fit.
 */

/** Names are stable; durations are milliseconds, sizes and indexes decimal. */
export interface Fields {
  readonly action?: string
  readonly allow?: boolean
  /** Of two engines: the name of each, and a digest, a code or `undefined`. */
  readonly answers?: readonly string[]
  /** A stable code of an error or a refusal. */
  readonly code?: string
  readonly decision_id?: string
  readonly digest?: string
  readonly duration_ms?: number
  readonly entrypoint?: string
  readonly events?: number
  readonly exporter?: string
  readonly index?: string
  /** A JSON pointer of names that every verdict has. */
  readonly place?: string
  readonly port?: number
  readonly problems?: readonly string[]
  readonly reasons?: readonly string[]
  readonly request_id?: string
  readonly revision?: string
  /** A pattern of the table of endpoints, never the path that was asked for. */
  readonly route?: string
  readonly size?: string
  readonly source?: string
  readonly status?: number
  readonly trace_id?: string
}

const CODE = /^(?:(?:internal|kernel)\/)?[a-z][a-z0-9_]{0,63}$/
const DIGITS = /^\d{1,20}$/
const NAME = /^[a-z0-9][a-z0-9.-]{0,127}$/
const SHA256 = /^(?:none|sha256:[0-9a-f]{64})$/
const HEX_ID = /^[0-9a-f]{32}$/
/** Of tracing systems and UUIDs; any other X-Request-ID may be anything. */
const REQUEST_ID = /^(?:[0-9a-f]{16}|[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/

const text =
  (form: RegExp) =>
  (value: unknown): boolean =>
    typeof value === 'string' && form.test(value)
const texts =
  (form: RegExp) =>
  (value: unknown): boolean =>
    Array.isArray(value) && value.length <= 64 && value.every(text(form))
const number = (value: unknown): boolean => typeof value === 'number' && Number.isFinite(value)

const FORMS: { readonly [Name in keyof Required<Fields>]: (value: unknown) => boolean } = {
  action: text(NAME),
  allow: (value) => typeof value === 'boolean',
  answers: texts(/^engine\/[a-z]{1,16} (?:[a-z_]{1,64}|sha256:[0-9a-f]{64})$/),
  code: text(CODE),
  decision_id: text(HEX_ID),
  digest: text(SHA256),
  duration_ms: number,
  entrypoint: text(/^[a-z_][\w./-]{0,255}$/i),
  events: number,
  exporter: text(NAME),
  index: text(DIGITS),
  place: text(/^(?:\/(?:\*|\d{1,9}|[a-z]{1,16})){0,256}$/),
  port: number,
  problems: texts(CODE),
  reasons: texts(CODE),
  request_id: text(REQUEST_ID),
  revision: text(SHA256),
  route: text(/^(?:unknown|\/[a-z0-9/:.*_-]{0,127})$/),
  size: text(DIGITS),
  source: text(NAME),
  status: number,
  trace_id: text(HEX_ID),
}

/** The fields of `given` that may be written, in the table's order. */
export function allowed(given: Fields): Fields {
  const kept: Record<string, unknown> = {}
  for (const [name, fits] of Object.entries(FORMS)) {
    const value = (given as Readonly<Record<string, unknown>>)[name]
    if (fits(value)) kept[name] = value
  }
  return kept
}
