/**
 * Several evaluations in one request. Items are independent decisions with a leaf each; the top-level members are defaults that an item
 * replaces whole. An item that cannot be read, or got no decision, is `false` and says so in its context; the others stand.
 *
 * @see https://openid.net/specs/authorization-api-1_0.html section 7
 */
import { NoDecision } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Decision, Kernel } from '../../../core/kernel.ts'
import type { Peer } from '../../../core/request.ts'
import { type Answer, jsonAnswer, noDecisionAnswer, Refusal } from './answer.ts'
import { decisionMembers, evaluateOne } from './authzen.ts'
import type { Call } from './call.ts'
import {
  isObject,
  type Members,
  readIdempotencyKey,
  readObject,
  readWishes,
  submissionOf,
  type Wishes,
} from './frame.ts'
import { EVALUATE, evaluationPayload, type Parts, partsOf } from './model.ts'
import { declaredBy } from './obligations.ts'
import type { Limits } from './options.ts'

const SEMANTICS = ['execute_all', 'deny_on_first_deny', 'permit_on_first_permit'] as const
type Semantic = (typeof SEMANTICS)[number]

/** `failure`: no decision could be made, and trying again later may help. */
interface Item {
  readonly decision?: Decision
  readonly failure?: NoDecision
  readonly members: { readonly decision: boolean }
}

/** POST /access/v1/evaluations */
export async function evaluations(
  kernel: Kernel,
  limits: Limits,
  call: Call,
  peer: Peer,
): Promise<Answer> {
  const members = await readObject(call, limits.maxBodyBytes)
  const wishes = readWishes(call, peer, limits.seal)
  const items = readItems(members.evaluations, limits.evaluationsMax)
  if (items.length === 0) return await evaluateOne(kernel, members, wishes)
  const semantic = readSemantic(members.options)
  const defaults = readDefaults(members)
  // The longest item key must be a key too; found out before the first item is decided.
  itemKey(wishes, items.length - 1)
  const evaluate = (i: number): Promise<Item> =>
    evaluateItem(kernel, items[i]!, defaults, wishes, i)
  const done = await runItems(items.length, semantic, evaluate)
  return batchAnswer(done)
}

function readItems(value: Json | undefined, max: number): readonly Json[] {
  if (value === undefined || value === null) return []
  if (!Array.isArray(value)) throw new Refusal('invalid_request', 'evaluations is not an array')
  if (value.length > max)
    throw new Refusal('too_many_evaluations', `at most ${max} evaluations in one request`)
  return value
}

function readSemantic(options: Json | undefined): Semantic {
  if (options === undefined || options === null) return 'execute_all'
  if (!isObject(options)) throw new Refusal('invalid_request', 'options is not an object')
  const semantic = options.evaluations_semantic ?? 'execute_all'
  if (SEMANTICS.includes(semantic as Semantic)) return semantic as Semantic
  throw new Refusal(
    'invalid_request',
    `options.evaluations_semantic is one of ${SEMANTICS.join(', ')}`,
  )
}

/** A default that no item could use is a fault of the call, not of the items. */
function readDefaults(members: Members): Parts {
  const defaults = partsOf(members)
  for (const name of ['subject', 'action', 'resource', 'context'] as const) {
    const value = defaults[name]
    if (value !== undefined && value !== null && !isObject(value))
      throw new Refusal('invalid_request', `${name} is not an object`)
  }
  return defaults
}

async function runItems(
  count: number,
  semantic: Semantic,
  evaluate: (i: number) => Promise<Item>,
): Promise<readonly Item[]> {
  if (semantic === 'execute_all')
    return await Promise.all(Array.from({ length: count }, (_, i) => evaluate(i)))
  const last = semantic === 'permit_on_first_permit'
  const done: Item[] = []
  for (let i = 0; i < count; i++) {
    const item = await evaluate(i)
    done.push(item)
    if (item.members.decision === last) break
  }
  return done
}

async function evaluateItem(
  kernel: Kernel,
  value: Json,
  defaults: Parts,
  wishes: Wishes,
  i: number,
): Promise<Item> {
  try {
    if (!isObject(value)) throw new Refusal('invalid_request', 'the item is not an object')
    const parts = partsOf(value, defaults)
    const payload = evaluationPayload(parts)
    const submission = submissionOf(EVALUATE, payload, {
      ...declaredBy(parts.context, wishes),
      idempotencyKey: itemKey(wishes, i),
    })
    const decision = await kernel.decide(submission, wishes.options)
    const members = (await decisionMembers(decision, wishes)) as Item['members']
    return { decision, members }
  } catch (error) {
    return failedItem(error)
  }
}

function itemKey({ idempotencyKey }: Wishes, i: number): string | undefined {
  return idempotencyKey === undefined ? undefined : readIdempotencyKey(`${idempotencyKey}/${i}`)
}

function failedItem(error: unknown): Item {
  if (error instanceof Refusal) {
    const { status, message } = error
    return { members: denied(status, message) }
  }
  const failure = error instanceof NoDecision ? error : new NoDecision('unavailable', 'it failed')
  const { status, body } = noDecisionAnswer(failure)
  return { failure, members: denied(status, String(body)) }
}

function denied(status: number, message: string): Item['members'] & object {
  return { decision: false, context: { error: { status, message } } } as Item['members']
}

function batchAnswer(items: readonly Item[]): Answer {
  const failure = items.find((item) => item.failure)?.failure
  if (failure !== undefined && items.every(({ decision }) => decision === undefined))
    return noDecisionAnswer(failure)
  const ids = items.map(
    ({ decision, failure: failed }) => decision?.id ?? failed?.decisionId ?? '-',
  )
  const unsealed = items.some(({ decision }) => decision?.seal === 'committed_unsealed')
  return jsonAnswer(
    { evaluations: items.map(({ members }) => members) },
    { 'x-decision-id': ids.join(','), ...(unsealed ? { 'assay-seal': 'committed_unsealed' } : {}) },
  )
}
