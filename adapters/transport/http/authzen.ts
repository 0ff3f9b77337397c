/**
 * One access evaluation: the information model (subject, action, resource, context), the answer, and the metadata. Unknown members are
 * ignored, so that a client of a later version is served. Each is decided by the kernel's action `access.evaluate`.
 *
 * @see https://openid.net/specs/authorization-api-1_0.html sections 5, 6 and 9
 */
import type { Json } from '../../../core/json.ts'
import type { Decision, Kernel } from '../../../core/kernel.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { type Answer, jsonAnswer, Refusal } from './answer.ts'
import type { Call } from './call.ts'
import {
  decisionHeaders,
  isObject,
  type Members,
  readObject,
  readWishes,
  receiptMember,
  submissionOf,
  type Wishes,
} from './frame.ts'
import type { Limits } from './options.ts'

export const EVALUATE = 'access.evaluate'

/** What a request names; each one whole, or inherited whole from a batch's defaults. */
export interface Parts {
  readonly subject: Json | undefined
  readonly action: Json | undefined
  readonly resource: Json | undefined
  readonly context: Json | undefined
}

/** Members that are null count as absent. */
export function partsOf(members: Members, defaults?: Parts): Parts {
  return {
    subject: members.subject ?? defaults?.subject,
    action: members.action ?? defaults?.action,
    resource: members.resource ?? defaults?.resource,
    context: members.context ?? defaults?.context,
  }
}

/** The payload of `access.evaluate`, in a fixed member order. @throws Refusal `invalid_request` */
export function evaluationPayload(parts: Parts): Payload {
  const subject = readEntity('subject', parts.subject)
  const action = readAction(parts.action)
  const resource = readEntity('resource', parts.resource)
  const context = readMap('context', parts.context)
  return Payload.fromParsed(
    context === undefined ? { subject, action, resource } : { subject, action, resource, context },
  )
}

function readEntity(name: string, value: Json | undefined): Json {
  const entity = readPart(name, value)
  const named = {
    type: readText(`${name}.type`, entity.type),
    id: readText(`${name}.id`, entity.id),
  }
  const properties = readMap(`${name}.properties`, entity.properties)
  return properties === undefined ? named : { ...named, properties }
}

function readAction(value: Json | undefined): Json {
  const action = readPart('action', value)
  const name = readText('action.name', action.name)
  const properties = readMap('action.properties', action.properties)
  return properties === undefined ? { name } : { name, properties }
}

function readPart(name: string, value: Json | undefined): Members {
  if (isObject(value)) return value
  throw new Refusal(
    'invalid_request',
    `${name} is ${value === undefined ? 'missing' : 'not an object'}`,
  )
}

function readText(name: string, value: Json | undefined): string {
  if (typeof value === 'string') return value
  throw new Refusal(
    'invalid_request',
    `${name} is ${value === undefined ? 'missing' : 'not a string'}`,
  )
}

function readMap(name: string, value: Json | undefined): Members | undefined {
  if (value === undefined || value === null) return undefined
  if (isObject(value)) return value
  throw new Refusal('invalid_request', `${name} is not an object`)
}

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
  const decision = await kernel.decide(submissionOf(EVALUATE, payload, wishes), wishes.options)
  const said = decisionMembers(decision, wishes)
  return jsonAnswer(said instanceof Promise ? await said : said, decisionHeaders(decision))
}

/** `{"decision"}` alone unless the caller asked for more: public harnesses compare answers as text. */
export function decisionMembers(decision: Decision, wishes: Wishes): object | Promise<object> {
  const plain = !wishes.reasons && !wishes.receipt && decision.obligations.length === 0
  return plain ? { decision: decision.allow } : withContext(decision, wishes)
}

async function withContext(decision: Decision, wishes: Wishes): Promise<object> {
  const { allow, id, obligations, reasons } = decision
  const context = {
    ...(obligations.length > 0 ? { obligations } : {}),
    ...(wishes.reasons ? { decision_id: id, reasons } : {}),
    ...(wishes.receipt ? await receiptMember(decision) : {}),
  }
  return { decision: allow, context }
}

/** POST /assay/v1/check: the same request, without effects and without a leaf of its own. */
export async function check(
  kernel: Kernel,
  limits: Limits,
  call: Call,
  peer: Peer,
): Promise<Answer> {
  const members = await readObject(call, limits.maxBodyBytes)
  const wishes = readWishes(call, peer, limits.seal)
  const payload = evaluationPayload(partsOf(members))
  const run = await kernel.check(submissionOf(EVALUATE, payload, wishes), wishes.options)
  const obligations = run.obligations.length > 0 ? { obligations: run.obligations } : {}
  const context = { ...obligations, reasons: run.reasons }
  return jsonAnswer({ decision: run.allow, dry_run: true, context })
}

/** GET /.well-known/authzen-configuration: the endpoints that exist. */
export function metadata(publicUrl: string): Answer {
  return jsonAnswer({
    policy_decision_point: publicUrl,
    access_evaluation_endpoint: `${publicUrl}/access/v1/evaluation`,
    access_evaluations_endpoint: `${publicUrl}/access/v1/evaluations`,
  })
}
