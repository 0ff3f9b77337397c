/**
 * What goes back over HTTP. A deny is an answer with status 200; only a call that got no decision has another status, and its body is one
 * line of text that begins with a stable code (AuthZEN 1.0, "error responses"). Nothing that a kernel or a plugin threw is quoted.
 */
import type { JsonErrorCode, NoDecision, NoDecisionCode } from '../../../core/error.ts'

export interface Answer {
  readonly status: number
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array
}

/** Why a request never reached the kernel. */
export type RefusalCode =
  | Exclude<JsonErrorCode, 'too_large'>
  | 'aborted'
  | 'ambiguous_path'
  | 'closed'
  | 'empty_body'
  | 'forbidden_host'
  | 'invalid_certificate'
  | 'invalid_header'
  | 'invalid_request'
  | 'invalid_token'
  | 'overloaded'
  | 'rate_limited'
  | 'too_large'
  | 'too_many_evaluations'
  | 'unauthenticated'
  | 'wrong_content_type'
  | 'wrong_realm'

const REFUSED: Readonly<Record<RefusalCode, number>> = {
  aborted: 499,
  // What a proxy passes on to its client as it is: nginx knows 401 and 403 only.
  ambiguous_path: 403,
  closed: 503,
  duplicate_key: 400,
  empty_body: 400,
  forbidden_host: 403,
  invalid_certificate: 401,
  invalid_header: 400,
  invalid_request: 400,
  invalid_token: 401,
  invalid_utf8: 400,
  lone_surrogate: 400,
  malformed: 400,
  number_range: 400,
  overloaded: 503,
  rate_limited: 429,
  too_deep: 400,
  too_large: 413,
  too_many_evaluations: 400,
  unauthenticated: 401,
  wrong_content_type: 400,
  wrong_realm: 403,
}

const NO_DECISION: Readonly<Record<NoDecisionCode, readonly [status: number, what: string]>> = {
  aborted: [499, 'the caller gave up before the commit'],
  closed: [503, 'the server is shutting down; ask another one'],
  idempotency_mismatch: [422, 'the key was used with another request; use a new key'],
  invalid_page_token: [400, 'the token is not of this search; start over'],
  malformed: [400, 'the request cannot be read'],
  not_searchable: [400, 'what may be found here has no end, or nothing lists it'],
  overloaded: [503, 'too many decisions are under way; retry later'],
  refused: [403, 'refused before it became a decision'],
  search_budget: [400, 'the search is too large; narrow the query or ask for smaller pages'],
  unavailable: [503, 'no decision could be made; treat it as a deny'],
  unknown_outcome: [503, 'the decision may be in the log; fetch its receipt by X-Decision-Id'],
}

/** Thrown while a request is read; it is counted and becomes its answer. Holds nothing of the request's content. */
export class Refusal extends Error {
  readonly code: RefusalCode
  readonly what: string
  /** Of the answer, besides what every refusal has. */
  readonly headers: Answer['headers']
  constructor(code: RefusalCode, what: string, headers: Answer['headers'] = {}) {
    super(`${code}: ${what}`)
    this.name = 'Refusal'
    this.code = code
    this.what = what
    this.headers = headers
  }

  get status(): number {
    return REFUSED[this.code]
  }
}

/** What is decided is for its caller alone, and is nothing but what it says it is. */
const PRIVATE = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const
export const JSON_HEADERS: Answer['headers'] = { 'content-type': 'application/json', ...PRIVATE }
const TEXT_HEADERS = { 'content-type': 'text/plain; charset=utf-8', ...PRIVATE } as const

export function jsonAnswer(value: unknown, headers: Answer['headers'] = {}, status = 200): Answer {
  const body = JSON.stringify(value)
  return { status, headers: { ...JSON_HEADERS, ...headers }, body }
}

export function errorAnswer(
  status: number,
  code: string,
  what: string,
  headers: Answer['headers'] = {},
): Answer {
  const body = `${code}: ${what}`
  return { status, headers: { ...TEXT_HEADERS, ...headers }, body }
}

export function refusalAnswer(refusal: Refusal): Answer {
  const retry = refusal.status === 503 ? { 'retry-after': '1' } : {}
  return errorAnswer(refusal.status, refusal.code, refusal.what, { ...retry, ...refusal.headers })
}

export function noDecisionAnswer({ code, decisionId, retryAfterMs }: NoDecision): Answer {
  const [status, what] = NO_DECISION[code]
  const headers: Record<string, string> = {}
  if (status === 503)
    headers['retry-after'] = String(Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1000)))
  if (decisionId !== undefined) headers['x-decision-id'] = decisionId
  return errorAnswer(status, code, what, headers)
}

/** No answer at all: the connection ends. Where a platform knows no connections, it has this status and no body. */
export const SILENCE: Answer = { status: 444, headers: {}, body: '' }

export function notFound(): Answer {
  return jsonAnswer({ error: 'not_found' }, {}, 404)
}
