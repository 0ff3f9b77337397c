/** Why there is no decision, in the words of this transport: codes that stay, and nothing of what anybody threw. */
import { NoDecision, type NoDecisionCode } from '../../../core/error.ts'
import { Late } from './context.ts'

export type RefusalCode =
  | NoDecisionCode
  /** The policy for a gateway's cache would be larger than API Gateway takes. */
  | 'answer_too_large'
  /** The request's place, method or path has two readings, or is none that a policy can name. */
  | 'ambiguous_path'
  /** The gateway keeps answers in a way that its configuration here does not name. */
  | 'cache_not_possible'
  /** Its frame cannot be read. */
  | 'invalid_event'
  /** This function is not configured to serve such events. */
  | 'not_served'
  /** Nobody is identified. */
  | 'unauthenticated'
  /** No configured route fits. */
  | 'unknown_route'
  /** The event is none of those that this transport knows. */
  | 'unknown_event'

/** Holds nothing of the event's content. */
export class Refusal extends Error {
  readonly code: RefusalCode
  constructor(code: RefusalCode, what: string) {
    super(what)
    this.name = 'Refusal'
    this.code = code
  }
}

export interface Told {
  readonly code: RefusalCode
  readonly message: string
  readonly retryAfterMs?: number
  readonly decisionId?: string
}

const WHAT: Readonly<Record<NoDecisionCode, string>> = {
  aborted: 'there was no time left before the commit; nothing happened',
  closed: 'this instance is shutting down; ask again',
  idempotency_mismatch: 'the key was used with another request; use a new key',
  invalid_page_token: 'the token is not of this search; start over',
  malformed: 'the request cannot be read',
  not_searchable: 'what may be found here has no end, or nothing lists it',
  overloaded: 'too many decisions are under way; retry later',
  refused: 'refused before it became a decision',
  search_budget: 'the search is too large',
  unavailable: 'no decision could be made; treat it as a deny',
  unknown_outcome: 'the decision may be in the log; ask again with the same idempotency key',
}

/** Codes after which the same event may be answered another time. */
const RETRIED: ReadonlySet<string> = new Set([
  'aborted',
  'closed',
  'overloaded',
  'unavailable',
  'unknown_outcome',
])
export const isRetried = ({ code }: Pick<Told, 'code'>): boolean => RETRIED.has(code)

/** Whatever was thrown. What is not ours is `unavailable`, without its text. */
export function told(error: unknown): Told {
  if (error instanceof Refusal) return { code: error.code, message: error.message }
  if (error instanceof Late) return { code: 'unknown_outcome', message: WHAT.unknown_outcome }
  const none = error instanceof NoDecision ? error : new NoDecision('unavailable', 'it threw')
  const { code, decisionId, retryAfterMs } = none
  return {
    code,
    message: WHAT[code],
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
    ...(decisionId === undefined ? {} : { decisionId }),
  }
}
