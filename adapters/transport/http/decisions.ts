/** Decisions of any action: Assay's own endpoint. */
import { NoDecision } from '../../../core/error.ts'
import { isAction } from '../../../core/frame.ts'
import type { Json } from '../../../core/json.ts'
import type { Decision, Kernel } from '../../../core/kernel.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { type Answer, jsonAnswer, Refusal } from './answer.ts'
import type { Call } from './call.ts'
import {
  decisionHeaders,
  readIdempotencyKey,
  readObject,
  readWishes,
  receiptMember,
  submissionOf,
  type Wishes,
} from './frame.ts'
import type { Limits } from './options.ts'

/**
 * POST /assay/v1/decisions: `{"action", "payload", "idempotency_key"?}`, or with the header `Assay-Action` the payload alone, whose bytes
 * then reach the plugin as they came.
 */
export async function decisions(
  kernel: Kernel,
  limits: Limits,
  call: Call,
  peer: Peer,
): Promise<Answer> {
  const wishes = readWishes(call, peer, limits.seal)
  const action = call.header('assay-action')
  const [submission, { receipt }] =
    action === undefined
      ? await readEnvelope(call, limits, wishes)
      : [submissionOf(readActionName(action), await readRaw(call), wishes), wishes]
  const decision = await kernel.decide(submission, wishes.options)
  const members = { ...wholeDecision(decision), ...(receipt ? await receiptMember(decision) : {}) }
  return jsonAnswer(members, decisionHeaders(decision))
}

type Envelope = readonly [ReturnType<typeof submissionOf>, Wishes]

async function readEnvelope(call: Call, limits: Limits, wishes: Wishes): Promise<Envelope> {
  const { action, payload, idempotency_key } = await readObject(call, limits.maxBodyBytes)
  const name = readActionName(action)
  if (payload === undefined) throw new Refusal('invalid_request', 'payload is missing')
  const idempotencyKey = readBodyKey(idempotency_key, wishes.idempotencyKey)
  return [submissionOf(name, Payload.fromParsed(payload), { ...wishes, idempotencyKey }), wishes]
}

function readBodyKey(value: Json | undefined, inHeader: string | undefined): string | undefined {
  if (value === undefined || value === null) return inHeader
  if (typeof value !== 'string')
    throw new Refusal('invalid_request', 'idempotency_key is not a string')
  if (inHeader !== undefined && inHeader !== value)
    throw new Refusal('invalid_request', 'idempotency_key differs from the header Idempotency-Key')
  return readIdempotencyKey(value)
}

function readActionName(value: Json | undefined): string {
  if (isAction(value)) return value
  throw new Refusal('invalid_request', 'action is a plugin and a verb, for example access.evaluate')
}

async function readRaw(call: Call): Promise<Payload> {
  try {
    return Payload.fromBytes(await call.body())
  } catch (error) {
    if (!(error instanceof NoDecision)) throw error
    throw new Refusal('invalid_utf8', 'send a binary payload as base64url text')
  }
}

function wholeDecision({ id, allow, reasons, obligations, output, seal, index }: Decision): object {
  return {
    id,
    allow,
    reasons,
    obligations,
    ...(output === undefined ? {} : { output }),
    seal,
    ...(index === undefined ? {} : { index }),
  }
}
