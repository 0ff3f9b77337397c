/**
 * An invocation without a gateway: `{ action, payload }` for any action, or `{ evaluation }` as AuthZEN has it, and back the decision. Lambda has
 * authenticated the invoker and does not say who it is, so the peer is the one that the configuration names.
 */

import { JsonError } from '../../../core/error.ts'
import { isAction } from '../../../core/frame.ts'
import { type Json, parseJson } from '../../../core/json.ts'
import type { DecideOptions, Decision, Kernel, Seal, Submission } from '../../../core/kernel.ts'
import type { Receipt } from '../../../core/log/receipt.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { isShape, type Shape } from './events.ts'
import { Refusal, type Told, told } from './refusal.ts'

export interface DirectOptions {
  /** Whoever may invoke the function. Default `{ kind: 'lambda', id: 'invoker' }`. */
  readonly peer?: Peer
  /**
   * Whether what a retry may mend is thrown instead of answered: for asynchronous invocations, which Lambda repeats when they throw, with the
   * same request id. Default false.
   */
  readonly throws?: boolean
}

/** What an invoker gets. Without a decision `allow` is false and `error` says why. */
export type DirectAnswer =
  | (Pick<Decision, 'allow' | 'id' | 'obligations' | 'output' | 'reasons' | 'seal'> & {
      /** Where the leaf has its place already. */
      readonly index?: string
      /** `receipt: "include"` was asked for. */
      readonly receipt?: Receipt
      readonly receiptError?: Told['code']
    })
  | { readonly allow: false; readonly error: Told }

export const EVALUATE = 'access.evaluate'
const INVOKER: Peer = { kind: 'lambda', id: 'invoker' }
const MEMBERS: ReadonlySet<string> = new Set([
  'action',
  'payload',
  'evaluation',
  'idempotencyKey',
  'obligations',
  'receipt',
  'seal',
  'timeoutMs',
])

export interface DirectCall {
  readonly kernel: Pick<Kernel, 'decide'>
  readonly options: DirectOptions
  readonly maxPayloadBytes: number
  readonly seal: Seal | undefined
  /** For an event that names none. */
  readonly idempotencyKey: string | undefined
  readonly signal: AbortSignal
}

/** @throws Refusal, NoDecision */
export async function direct(event: Shape, call: DirectCall): Promise<DirectAnswer> {
  const unknown = Object.keys(event).find((name) => !MEMBERS.has(name))
  if (unknown !== undefined) throw invalid(`members are ${[...MEMBERS].join(', ')}`)
  const seal = one(event, 'seal', SEALS) ?? call.seal
  const wantsReceipt = one(event, 'receipt', ['include']) !== undefined
  const options: DecideOptions = {
    signal: call.signal,
    ...(seal === undefined ? {} : { seal }),
    ...timeoutOf(event),
  }
  const decision = await call.kernel.decide(submissionOf(event, call), options)
  return { ...answerOf(decision), ...(wantsReceipt ? await receiptOf(decision) : {}) }
}

function submissionOf(
  event: Shape,
  { idempotencyKey, maxPayloadBytes, options }: DirectCall,
): Submission {
  const { action, payload } = askedOf(event, maxPayloadBytes)
  const key = text(event, 'idempotencyKey') ?? idempotencyKey
  const { obligations } = event
  if (obligations !== undefined && !isTexts(obligations))
    throw invalid('obligations are a list of names')
  return {
    action,
    payload,
    peer: options.peer ?? INVOKER,
    ...(key === undefined ? {} : { idempotencyKey: key }),
    ...(obligations === undefined ? {} : { obligations }),
  }
}

function askedOf(event: Shape, maxBytes: number): { action: string; payload: Payload } {
  const { action, evaluation, payload } = event
  if (evaluation !== undefined) {
    if (action !== undefined || payload !== undefined)
      throw invalid('it is an evaluation, or an action with its payload')
    return { action: EVALUATE, payload: payloadOf(evaluationOf(evaluation), maxBytes) }
  }
  if (!isAction(action)) throw invalid('action is a plugin and a verb, for example access.evaluate')
  if (payload === undefined) throw invalid('payload is missing')
  return { action, payload: payloadOf(payload, maxBytes) }
}

/** Members of a later AuthZEN version are ignored, as everywhere. */
function evaluationOf(evaluation: unknown): Shape {
  if (!isShape(evaluation)) throw invalid('evaluation is not an object')
  const { action, context, resource, subject } = evaluation
  for (const [name, part] of Object.entries({ action, resource, subject }))
    if (!isShape(part)) throw invalid(`evaluation.${name} is not an object`)
  return context === undefined
    ? { subject, action, resource }
    : { subject, action, resource, context }
}

/** The runtime parsed the event leniently; what JSON would have bent on the way is refused here. */
function payloadOf(value: unknown, maxBytes: number): Payload {
  const json = JSON.stringify(value)
  if (Buffer.byteLength(json) > maxBytes) throw invalid(`a payload has at most ${maxBytes} bytes`)
  try {
    return Payload.fromParsed(parseJson(json))
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw invalid(`the payload is not plain JSON (${error.code})`)
  }
}

const SEALS = ['durable', 'sealed'] as const

function one<T extends string>(event: Shape, name: string, values: readonly T[]): T | undefined {
  const value = event[name]
  if (value === undefined || values.includes(value as T)) return value as T | undefined
  throw invalid(`${name} is ${values.join(' or ')}`)
}

function timeoutOf({ timeoutMs }: Shape): { timeoutMs?: number } {
  if (timeoutMs === undefined) return {}
  if (Number.isInteger(timeoutMs) && Number(timeoutMs) >= 1 && Number(timeoutMs) <= 60_000)
    return { timeoutMs: Number(timeoutMs) }
  throw invalid('timeoutMs is a whole number from 1 to 60000')
}

function text(event: Shape, name: string): string | undefined {
  const value = event[name]
  if (value === undefined || typeof value === 'string') return value
  throw invalid(`${name} is a string`)
}

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')

function answerOf(decision: Decision): DirectAnswer {
  const { allow, id, obligations, output, reasons, seal } = decision
  const { index }: { readonly index?: string } = decision
  return {
    id,
    allow,
    reasons,
    obligations,
    ...(output === undefined ? {} : { output: output as Json }),
    seal,
    ...(index === undefined ? {} : { index }),
  }
}

/** The decision stands when its receipt cannot be had now: it is fetched later, by id. */
async function receiptOf(
  decision: Pick<Decision, 'receipt'>,
): Promise<{ receipt: Receipt } | { receiptError: Told['code'] }> {
  try {
    return { receipt: await decision.receipt() }
  } catch (error) {
    return { receiptError: told(error).code }
  }
}

function invalid(what: string): Refusal {
  return new Refusal('invalid_event', what)
}
