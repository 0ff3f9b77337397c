/**
 * One access evaluation, its answer, and the metadata. Each is decided by the kernel's action `access.evaluate`.
 *
 * @see https://openid.net/specs/authorization-api-1_0.html sections 6 and 9
 */
import type { Decision, Kernel } from '../../../core/kernel.ts'
import type { Peer } from '../../../core/request.ts'
import { type Answer, jsonAnswer } from './answer.ts'
import type { Call } from './call.ts'
import {
  decisionHeaders,
  type Members,
  readObject,
  readWishes,
  receiptMember,
  submissionOf,
  type Wishes,
} from './frame.ts'
import { EVALUATE, evaluationPayload, partsOf } from './model.ts'
import { declaredBy, obligationsMember, SUPPORTED_OBLIGATIONS } from './obligations.ts'
import type { Limits } from './options.ts'
import { CAPABILITY, offerOf, REQUEST, REQUESTS_PATH } from './requests.ts'

/** POST /access/v1/evaluation */
export async function evaluation(
  kernel: Kernel,
  limits: Limits,
  call: Call,
  peer: Peer,
): Promise<Answer> {
  const members = await readObject(call, limits.maxBodyBytes)
  return await evaluateOne(kernel, members, readWishes(call, peer, limits.seal))
}

export async function evaluateOne(
  kernel: Kernel,
  members: Members,
  wishes: Wishes,
): Promise<Answer> {
  const payload = evaluationPayload(partsOf(members))
  const declared = declaredBy(members.context, wishes)
  const decision = await kernel.decide(submissionOf(EVALUATE, payload, declared), wishes.options)
  const said = decisionMembers(decision, wishes)
  return jsonAnswer(said instanceof Promise ? await said : said, decisionHeaders(decision))
}

/** `{"decision"}` alone unless the caller asked for more: public harnesses compare answers as text. */
export function decisionMembers(decision: Decision, wishes: Wishes): object | Promise<object> {
  const { allow, obligations, output } = decision
  const bare = obligations.length === 0 && (allow || output === undefined)
  return bare && !wishes.reasons && !wishes.receipt
    ? { decision: decision.allow }
    : withContext(decision, wishes)
}

async function withContext(decision: Decision, wishes: Wishes): Promise<object> {
  const { allow, id, obligations, reasons } = decision
  const context = {
    ...offerOf(decision),
    ...obligationsMember(obligations),
    ...(wishes.reasons ? { decision_id: id, reasons } : {}),
    ...(wishes.receipt ? await receiptMember(decision) : {}),
  }
  return Object.keys(context).length === 0 ? { decision: allow } : { decision: allow, context }
}

/** POST /assay/v1/check: the same request, without effects and without a leaf of its own. */
export async function check(
  kernel: Kernel,
  limits: Limits,
  call: Call,
  peer: Peer,
): Promise<Answer> {
  const members = await readObject(call, limits.maxBodyBytes)
  const wishes = declaredBy(members.context, readWishes(call, peer, limits.seal))
  const payload = evaluationPayload(partsOf(members))
  const run = await kernel.check(submissionOf(EVALUATE, payload, wishes), wishes.options)
  const context = { ...obligationsMember(run.obligations), reasons: run.reasons }
  return jsonAnswer({ decision: run.allow, dry_run: true, context })
}

/** GET /.well-known/authzen-configuration: the endpoints that exist. */
export function metadata(kernel: Kernel, publicUrl: string): Answer {
  return jsonAnswer({
    policy_decision_point: publicUrl,
    access_evaluation_endpoint: `${publicUrl}/access/v1/evaluation`,
    access_evaluations_endpoint: `${publicUrl}/access/v1/evaluations`,
    search_subject_endpoint: `${publicUrl}/access/v1/search/subject`,
    search_resource_endpoint: `${publicUrl}/access/v1/search/resource`,
    search_action_endpoint: `${publicUrl}/access/v1/search/action`,
    ...(kernel.actions.includes(REQUEST)
      ? { access_request_endpoint: publicUrl + REQUESTS_PATH, capabilities: [CAPABILITY] }
      : {}),
    supported_obligations: SUPPORTED_OBLIGATIONS,
  })
}
