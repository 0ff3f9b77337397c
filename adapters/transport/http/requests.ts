/**
 * The AuthZEN profile for access requests and approvals (draft 1): a denial that can be followed by a request, the request and its task,
 * and what approvers do. Every call is a decision of the plugin `access`; after an approval the client evaluates again.
 *
 * @see https://github.com/openid/authzen/tree/main/profiles/authzen-access-request-approval
 */
import { NoDecision } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Decision, Kernel } from '../../../core/kernel.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { type Answer, jsonAnswer, Refusal } from './answer.ts'
import type { Call, Endpoint } from './call.ts'
import {
  decisionHeaders,
  isObject,
  type Members,
  readObject,
  readWishes,
  submissionOf,
} from './frame.ts'
import { partsOf, readAction, readEntity, readMap, readText } from './model.ts'
import type { Limits } from './options.ts'
import {
  DUPLICATE,
  deniedProblem,
  INVALID_BINDING,
  problemAnswer,
  TASK_EXPIRED,
} from './problem.ts'

/** The kernel action without which there are no requests. */
export const REQUEST = 'access.request'
export const REQUESTS_PATH = '/access/v1/requests'
export const CAPABILITY = 'urn:openid:authzen:capability:access-request'

/** What the endpoints work with. */
interface Door {
  readonly kernel: Kernel
  readonly limits: Limits
  /** Of the endpoint for requests, as clients reach it. */
  readonly url: string
}

/** None where the kernel has no such action. */
export function requestEndpoints(
  kernel: Kernel,
  limits: Limits,
  publicUrl: string,
): readonly Endpoint[] {
  if (!kernel.actions.includes(REQUEST)) return []
  const door: Door = { kernel, limits, url: publicUrl + REQUESTS_PATH }
  const endpoint = (method: 'GET' | 'POST', path: string, answer: Answering): Endpoint => ({
    method,
    path,
    admitted: true,
    answer: (call, peer) => answer(door, call, peer),
  })
  return [
    endpoint('POST', REQUESTS_PATH, createRequest),
    endpoint('GET', `${REQUESTS_PATH}/:id`, showRequest),
    endpoint('POST', `${REQUESTS_PATH}/:id/cancel`, cancelRequest),
    endpoint('POST', '/assay/v1/requests/:id/approve', approveRequest),
    endpoint('POST', '/assay/v1/requests/:id/deny', denyRequest),
    endpoint('POST', '/assay/v1/requests/:id/revoke', revokeApproval),
  ]
}
type Answering = (door: Door, call: Call, peer: Peer) => Promise<Answer>

/** The policy's `output.access_request`: what a denial offers, and until when in Unix seconds. */
export function offerOf({ allow, id, output, reasons }: Decision): object | undefined {
  const offer = !allow && isObject(output) ? output.access_request : undefined
  if (!isObject(offer) || typeof offer.expires_at !== 'number') return undefined
  const { template, expires_at } = offer
  return {
    evaluation_id: id,
    reason: reasons[0]?.code,
    access_request: {
      ...(typeof template === 'string' ? { template } : {}),
      expires_at: timestamp(expires_at),
    },
  }
}

/** POST /access/v1/requests */
async function createRequest(door: Door, call: Call, peer: Peer): Promise<Answer> {
  const members = await readObject(call, door.limits.maxBodyBytes)
  const payload = readSubmission(members)
  return payload === undefined
    ? problemAnswer(INVALID_BINDING)
    : await decided(door, call, peer, REQUEST, payload, 202)
}

/** GET /access/v1/requests/ID */
function showRequest(door: Door, call: Call, peer: Peer): Promise<Answer> {
  return decided(door, call, peer, 'access.show-request', { request: taskId(call) }, 200)
}

/** POST /access/v1/requests/ID/cancel: the body, if there is one, is not read. */
function cancelRequest(door: Door, call: Call, peer: Peer): Promise<Answer> {
  return decided(door, call, peer, 'access.withdraw-request', { request: taskId(call) }, 200)
}

/** POST /assay/v1/requests/ID/approve, with `{"approved_until"?}`. What approvers call is not part of the profile. */
async function approveRequest(door: Door, call: Call, peer: Peer): Promise<Answer> {
  const { approved_until } = await readObject(call, door.limits.maxBodyBytes)
  const payload = { request: taskId(call), ...untilMember('approved_until', approved_until) }
  return await decided(door, call, peer, 'access.approve-request', payload, 200)
}

/** POST /assay/v1/requests/ID/deny */
function denyRequest(door: Door, call: Call, peer: Peer): Promise<Answer> {
  return decided(door, call, peer, 'access.deny-request', { request: taskId(call) }, 200)
}

/** POST /assay/v1/requests/ID/revoke: takes an approval back before it ends. */
function revokeApproval(door: Door, call: Call, peer: Peer): Promise<Answer> {
  return decided(door, call, peer, 'access.revoke-approval', { request: taskId(call) }, 200)
}

/** `.../requests/ID` and what may follow. */
function taskId({ path }: Call): string {
  return path.split('/requests/')[1]?.split('/')[0] ?? ''
}

/** Undefined when nothing binds it to a denial. @throws Refusal `invalid_request` */
function readSubmission(members: Members): Json | undefined {
  if (members.items !== undefined)
    throw new Refusal('invalid_request', 'items is not supported: send a request for each')
  const parts = partsOf(members)
  const tuple = {
    subject: readEntity('subject', parts.subject),
    action: readAction(parts.action),
    resource: readEntity('resource', parts.resource),
  }
  const why = readMap('context', parts.context)?.business_justification
  const wanted = readMap('requested_access', members.requested_access)
  const denial = readMap('denial', members.denial)?.evaluation_id
  if (denial === undefined || denial === null) return undefined
  return {
    ...tuple,
    denial: readText('denial.evaluation_id', denial),
    ...(why === undefined || why === null
      ? {}
      : { justification: readText('context.business_justification', why) }),
    ...untilMember('requested_access.requested_until', wanted?.requested_until),
  }
}

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i

function untilMember(name: string, value: Json | undefined): { readonly until?: number } {
  if (value === undefined || value === null) return {}
  const isTime = typeof value === 'string' && RFC3339.test(value)
  const seconds = isTime ? Math.floor(Date.parse(value) / 1000) : Number.NaN
  if (Number.isNaN(seconds)) throw new Refusal('invalid_request', `${name} is not an RFC 3339 time`)
  return { until: seconds }
}

async function decided(
  door: Door,
  call: Call,
  peer: Peer,
  action: string,
  payload: Json,
  status: number,
): Promise<Answer> {
  const wishes = readWishes(call, peer, door.limits.seal)
  const submission = submissionOf(action, Payload.fromParsed(payload), wishes)
  try {
    return taskAnswer(await door.kernel.decide(submission, wishes.options), status, door.url)
  } catch (error) {
    if (error instanceof NoDecision && error.code === 'idempotency_mismatch')
      return problemAnswer(DUPLICATE)
    throw error
  }
}

function taskAnswer(decision: Decision, status: number, url: string): Answer {
  const headers = decisionHeaders(decision)
  const { allow, id: decisionId, output, reasons } = decision
  if (!allow) return problemAnswer(deniedProblem(reasons), headers)
  const told = isObject(output) ? readTold(output.request) : undefined
  if (told === undefined)
    throw new NoDecision('unavailable', 'the policy says nothing of the request', { decisionId })
  if (told.status === 'expired') return problemAnswer(TASK_EXPIRED, headers)
  const at = `${url}/${encodeURIComponent(told.id)}`
  const pending = told.status === 'pending'
  const task = {
    id: told.id,
    status: told.status,
    status_endpoint: at,
    ...(pending ? { expires_at: timestamp(told.expires), links: { cancel: `${at}/cancel` } } : {}),
  }
  const approval =
    told.status === 'approved' && told.until !== undefined
      ? { id: told.approval ?? decisionId, approved_until: timestamp(told.until) }
      : undefined
  return jsonAnswer(
    { task, ...(approval && { result: { mode: 'reevaluate', approval } }) },
    {
      ...headers,
      'cache-control': 'no-store',
      ...(pending ? { 'retry-after': RETRY_SECONDS } : {}),
      ...(status === 202 ? { location: at } : {}),
    },
    status,
  )
}
/** For who waits for people. */
const RETRY_SECONDS = '5'

/** The policy's `output.request`. Times are Unix seconds. */
interface Told {
  readonly id: string
  readonly status: string
  readonly expires: number
  readonly approval?: string
  readonly until?: number
}

function readTold(value: Json | undefined): Told | undefined {
  const whole = isObject(value) && typeof value.id === 'string' && typeof value.expires === 'number'
  return whole && typeof value.status === 'string' ? (value as unknown as Told) : undefined
}

/** The last second that RFC 3339 can write: policy data may name a later one. */
const LAST_SECOND = 253_402_300_799

function timestamp(seconds: number): string {
  return new Date(Math.min(Math.max(seconds, 0), LAST_SECOND) * 1000).toISOString()
}
