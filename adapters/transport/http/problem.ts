/**
 * The errors of the AuthZEN profile for access requests, as RFC 9457 problems: what a denial of one of its actions is to a client.
 *
 * @see https://github.com/openid/authzen/tree/main/profiles/authzen-access-request-approval section "Error Responses"
 */
import type { Reason } from '../../../core/verdict.ts'
import { type Answer, jsonAnswer } from './answer.ts'

interface Problem {
  readonly type: string
  readonly status: number
  readonly title: string
}

function defined(name: string, status: number, title: string): Problem {
  return { type: `urn:openid:authzen:access-request:error:${name}`, status, title }
}

export const INVALID_BINDING: Problem = defined(
  'invalid_denial_binding',
  400,
  'The request is not bound to a denied evaluation of the same tuple',
)
export const DUPLICATE: Problem = defined(
  'duplicate_request',
  409,
  'There is a request for this denial, or the key was used for another one',
)
export const TASK_EXPIRED: Problem = defined('task_expired', 410, 'The request has expired')
const WRONG_STATE = defined('invalid_task_state', 409, 'The request is in no state for this')

/** By the policy's reason code; of several the first one here counts. */
const BY_REASON: ReadonlyMap<string, Problem> = new Map([
  ['unknown_request', defined('unknown_task', 404, 'There is no such request')],
  ['unknown_denial', INVALID_BINDING],
  ['other_denial', INVALID_BINDING],
  ['not_requestable', defined('not_requestable', 400, 'This access cannot be requested')],
  ['denial_expired', defined('expired_denial', 410, 'The denial is too long ago')],
  ['request_exists', DUPLICATE],
  ['request_closed', WRONG_STATE],
  ['not_approved', WRONG_STATE],
])

/** Where the profile defines no problem for a denial: the decision's own reason. */
export function deniedProblem(reasons: readonly Reason[]): Problem & { readonly detail?: string } {
  const codes = new Set(reasons.map(({ code }) => code))
  for (const [code, problem] of BY_REASON) if (codes.has(code)) return problem
  const [status, title] = codes.has('malformed_request')
    ? ([400, 'Bad Request'] as const)
    : ([403, 'Forbidden'] as const)
  return { type: 'about:blank', status, title, detail: [...codes].join(', ') }
}

export function problemAnswer(problem: Problem, headers: Answer['headers'] = {}): Answer {
  return jsonAnswer(
    problem,
    { ...headers, 'content-type': 'application/problem+json', 'cache-control': 'no-store' },
    problem.status,
  )
}
