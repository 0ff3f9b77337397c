/** Reads a request's frame: its JSON object under limits, and the headers that say how the caller wants to be answered. */
import { JsonError, NoDecision } from '../../../core/error.ts'
import { type Json, parseJson } from '../../../core/json.ts'
import type { DecideOptions, Decision, Seal, Submission } from '../../../core/kernel.ts'
import type { Payload, Peer } from '../../../core/request.ts'
import { Refusal } from './answer.ts'
import type { Call } from './call.ts'

export type Members = { readonly [name: string]: Json }

export function isObject(value: Json | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const JSON_TYPE = /^application\/json[ \t]*(?:;[ \t]*charset="?utf-8"?[ \t]*)?$/i

/** @throws Refusal */
export async function readObject(call: Call, maxBytes: number): Promise<Members> {
  const type = call.header('content-type')
  if (type !== 'application/json' && !JSON_TYPE.test(type ?? ''))
    throw new Refusal('wrong_content_type', 'send Content-Type: application/json')
  const bytes = await call.body()
  if (bytes.length === 0) throw new Refusal('empty_body', 'send a JSON object')
  const value = strict(bytes, maxBytes)
  if (!isObject(value)) throw new Refusal('invalid_request', 'the body is not a JSON object')
  return value
}

function strict(bytes: Uint8Array, maxBytes: number): Json {
  try {
    return parseJson(bytes, { maxBytes })
  } catch (error) {
    if (!(error instanceof JsonError)) throw error
    throw new Refusal(error.code, error.message.replace(/^\[\w+\] \w+: /, ''))
  }
}

/** Who asks, and what the headers ask for. */
export interface Wishes {
  readonly peer: Peer
  readonly options: DecideOptions
  readonly idempotencyKey: string | undefined
  readonly obligations: readonly string[] | undefined
  /** `Assay-Explain: reasons` */
  readonly reasons: boolean
  /** `Assay-Receipt: include` */
  readonly receipt: boolean
}

/** @throws Refusal `invalid_header` */
export function readWishes(call: Call, peer: Peer, defaultSeal: Seal | undefined): Wishes {
  const options: { -readonly [K in keyof DecideOptions]: DecideOptions[K] } = {
    signal: call.signal,
  }
  const seal = oneOf(call, 'assay-seal', SEALS) ?? defaultSeal
  if (seal !== undefined) options.seal = seal
  const timeout = call.header('assay-timeout-ms')
  if (timeout !== undefined) options.timeoutMs = readTimeout(timeout)
  return {
    peer,
    options,
    idempotencyKey: readIdempotencyKey(call.header('idempotency-key')),
    obligations: readObligations(call.header('assay-obligations')),
    reasons: oneOf(call, 'assay-explain', REASONS) !== undefined,
    receipt: oneOf(call, 'assay-receipt', INCLUDE) !== undefined,
  }
}
const SEALS = ['durable', 'sealed'] as const
const REASONS = ['reasons'] as const
const INCLUDE = ['include'] as const

function oneOf<T extends string>(call: Call, name: string, values: readonly T[]): T | undefined {
  const value = call.header(name)
  if (value === undefined || values.includes(value as T)) return value as T | undefined
  throw new Refusal('invalid_header', `${name} is ${values.join(' or ')}`)
}

function readTimeout(text: string): number {
  const timeoutMs = /^[1-9][0-9]{0,4}$/.test(text) ? Number(text) : 0
  if (timeoutMs < 1 || timeoutMs > 60_000)
    throw new Refusal('invalid_header', 'assay-timeout-ms is a whole number from 1 to 60000')
  return timeoutMs
}

const VISIBLE = /^[\x21-\x7e]{1,128}$/

/** Where it is 1 to 128 visible ASCII characters, and so can be sent back. */
export function echoed(requestId: string | undefined): string | undefined {
  return requestId !== undefined && VISIBLE.test(requestId) ? requestId : undefined
}

export function readIdempotencyKey(key: string | undefined): string | undefined {
  if (key === undefined || VISIBLE.test(key)) return key
  throw new Refusal('invalid_header', 'an idempotency key has 1 to 128 visible ASCII characters')
}

function readObligations(list: string | undefined): readonly string[] | undefined {
  if (list === undefined) return undefined
  const types = list.split(',').map((type) => type.trim())
  if (types.length <= 32 && types.every((type) => VISIBLE.test(type))) return types
  throw new Refusal('invalid_header', 'assay-obligations lists at most 32 types, with commas')
}

export function submissionOf(
  action: string,
  payload: Payload,
  { idempotencyKey, obligations, peer }: Wishes,
): Submission {
  const submission: { -readonly [K in keyof Submission]: Submission[K] } = {
    action,
    payload,
    peer,
  }
  if (idempotencyKey !== undefined) submission.idempotencyKey = idempotencyKey
  if (obligations !== undefined) submission.obligations = obligations
  return submission
}

/** The decision stands when its receipt cannot be had now: the caller fetches it later, by id. */
export async function receiptMember(decision: Pick<Decision, 'receipt'>): Promise<object> {
  try {
    return { receipt: await decision.receipt() }
  } catch (error) {
    return { receipt_error: error instanceof NoDecision ? error.code : 'unavailable' }
  }
}

/** The headers of a decision's answer. */
export function decisionHeaders({
  id,
  seal,
}: Pick<Decision, 'id' | 'seal'>): Readonly<Record<string, string>> {
  return seal === 'committed_unsealed'
    ? { 'x-decision-id': id, 'assay-seal': seal }
    : { 'x-decision-id': id }
}
