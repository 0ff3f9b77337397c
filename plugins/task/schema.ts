/**
 * What `task` reports: the same fields for each of its actions. A field that an action has no use for is there, and says `absent` or holds
 * nothing. Every object's members are sorted by name.
 */
import type { Json } from '../../core/json.ts'
import type { FactsSchema } from '../../core/plugin.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { type SigningKey, signingKeySchema } from '../../formats/signingkey/index.ts'
import {
  MAX_VERIFIER_KEYS,
  type Newness,
  type SetDescription,
  type Task,
  taskNameSchema,
  type VerifierSet,
  type VerifierState,
  verifierSetSchema,
} from '../../formats/task/index.ts'

/** Tasks of one node that were taken and are not over. */
export const MAX_USED = 4096
/** Roots at the same time: the old one and the new one, and one to spare. */
export const MAX_ROOTS = 4

const { array, boolean, integer, json, literal, object, record, string } = schema
const time = integer({ min: 0 })
const nodeName: Schema<string> = taskNameSchema
const publicKey = string({ maxLength: 87, pattern: /^[A-Za-z0-9_-]{43}(?:[A-Za-z0-9_-]{44})?$/ })
const params = record(json({ maxDepth: 8 }), { maxMembers: 64 })
const outcome = literal('done', 'failed', 'refused')
const type = string({ maxLength: 64, pattern: /^[a-z][a-z0-9.-]{0,63}$/ })
const typeVersion = integer({ min: 1, max: 1_000_000 })
const ttl = integer({ min: 1, max: 86_400 })
const word = string({ maxLength: 64, pattern: /^[a-z0-9_]{0,64}$/ })

/** Shared with the effects, which write what these describe. */
export const members: {
  readonly nodeName: Schema<string>
  readonly params: Schema<Task['params']>
  readonly publicKey: Schema<string>
  readonly ttl: Schema<number>
  readonly type: Schema<string>
  readonly typeVersion: Schema<number>
} = { nodeName, params, publicKey, ttl, type, typeVersion }

/** The payload of each action. Closed: an unknown member makes it malformed. */
export const payloads: Readonly<Record<string, Schema<unknown>>> = {
  'task.accept': object({ envelope: json(), node_id: nodeName }),
  'task.ingest': object({ envelope: json() }),
  'task.report': object({ node_id: nodeName, outcome, task_id: nodeName }, { reason: word }),
  'task.sign': object({ node_id: nodeName, params, type, version: typeVersion }, { ttl }),
  'task.trust': object({ root: publicKey, trusted: boolean() }),
}
export const actions: readonly string[] = Object.keys(payloads)
const ENVELOPES = ['task.accept', 'task.ingest']

/** Of any action; which members are there, the action's schema says. */
export interface Payload {
  readonly envelope?: Json
  readonly node_id?: string
  readonly outcome?: 'done' | 'failed' | 'refused'
  readonly params?: Task['params']
  readonly reason?: string
  readonly root?: string
  readonly task_id?: string
  readonly trusted?: boolean
  readonly ttl?: number
  readonly type?: string
  readonly version?: number
}

/** What one signature of an envelope came to. */
export interface SignatureFact {
  /** `unknown`: its hint names no key of the set. */
  readonly check: 'invalid' | 'unknown' | 'valid'
  /** It says which key made it; nobody vouches for that. */
  readonly hinted: boolean
  /** As the set has the key: of a valid one. */
  readonly grace_until?: number
  readonly not_before?: number
  readonly state?: VerifierState
  /** Some set said so, this one or an earlier one. */
  readonly revoked: boolean
}
export type SetFact = SetDescription & {
  readonly check: 'absent' | 'malformed' | 'valid'
  readonly digest: string
  readonly document?: VerifierSet
}
export interface TaskFact {
  readonly check: 'absent' | 'malformed' | 'valid'
  readonly document?: Task
  /** One of the types that the plugin knows. */
  readonly known: boolean
}

export interface TaskFacts {
  readonly claimed: Required<Omit<Payload, 'envelope' | 'outcome'>> & {
    readonly outcome: 'done' | 'failed' | 'none' | 'refused'
  }
  readonly envelope: { readonly check: 'absent' | 'malformed' | 'valid'; readonly type: string }
  /** What is to sign. */
  readonly key: SigningKey
  readonly payload: { readonly check: 'malformed' | 'valid'; readonly problem?: string }
  readonly root: {
    readonly check: 'absent' | 'valid' | 'weak_key'
    /** Trusted ones. */
    readonly count: number
    readonly trusted: boolean
  }
  /** The task that is reported. */
  readonly sent: { readonly known: boolean; readonly node_id: string }
  readonly set: SetFact
  /** `valid`: at least one of them is. */
  readonly signature: {
    readonly check: 'absent' | 'invalid' | 'unknown' | 'valid'
    readonly each: readonly SignatureFact[]
  }
  readonly task: TaskFact
  /** What is to be signed, as the plugin knows types. */
  readonly type: { readonly fits: boolean; readonly known: boolean }
  /** Of the node that has the task: it was taken before. */
  readonly used: boolean
}

const names = array(string({ maxLength: 16 }), { maxItems: MAX_VERIFIER_KEYS })
const newness: Schema<Newness> = literal('different', 'first', 'next', 'older', 'same', 'skipped')
const signature: Schema<SignatureFact> = object(
  { check: literal('invalid', 'unknown', 'valid'), hinted: boolean(), revoked: boolean() },
  {
    grace_until: time,
    not_before: time,
    state: literal('pre-active', 'active', 'grace', 'retired', 'revoked'),
  },
)
const task: Schema<Task> = object({
  type,
  version: typeVersion,
  task_id: nodeName,
  node_id: nodeName,
  issued_at: time,
  expires_at: time,
  nonce: string({ maxLength: 128 }),
  params,
})
const check = literal('absent', 'malformed', 'valid')
const set: Schema<SetFact> = object(
  {
    active: names,
    check,
    digest: string({ maxLength: 64 }),
    emergency: boolean(),
    endless: names,
    misnamed: names,
    newness,
    reactivated: names,
    scope: string({ maxLength: 64 }),
    unpublished: names,
    version: integer({ min: 0 }),
    weak: names,
  },
  { document: verifierSetSchema },
)
const claimed: Schema<TaskFacts['claimed']> = object({
  node_id: string({ maxLength: 128 }),
  outcome: literal('done', 'failed', 'none', 'refused'),
  params,
  reason: word,
  root: string({ maxLength: 87 }),
  task_id: string({ maxLength: 128 }),
  trusted: boolean(),
  ttl: integer({ min: 0, max: 86_400 }),
  type: string({ maxLength: 64 }),
  version: integer({ min: 0, max: 1_000_000 }),
})

export const taskSchema: FactsSchema<TaskFacts> = {
  claimed: { trust: 'claimed', schema: claimed },
  envelope: {
    trust: 'verified',
    evidence: { requiredFor: ENVELOPES },
    schema: object({ check, type: string({ maxLength: 256 }) }),
  },
  key: { trust: 'verified', schema: signingKeySchema },
  payload: {
    trust: 'verified',
    evidence: { requiredFor: actions },
    schema: object(
      { check: literal('malformed', 'valid') },
      { problem: string({ maxLength: 1024 }) },
    ),
  },
  root: {
    trust: 'verified',
    evidence: { requiredFor: ['task.trust'] },
    schema: object({
      check: literal('absent', 'valid', 'weak_key'),
      count: integer({ min: 0, max: MAX_ROOTS }),
      trusted: boolean(),
    }),
  },
  sent: {
    trust: 'verified',
    schema: object({ known: boolean(), node_id: string({ maxLength: 128 }) }),
  },
  set: { trust: 'verified', evidence: { requiredFor: ['task.ingest'] }, schema: set },
  signature: {
    trust: 'verified',
    evidence: { requiredFor: ENVELOPES },
    schema: object({
      check: literal('absent', 'invalid', 'unknown', 'valid'),
      each: array(signature, { maxItems: 16 }),
    }),
  },
  task: {
    trust: 'verified',
    evidence: { requiredFor: ['task.accept'] },
    schema: object({ check, known: boolean() }, { document: task }),
  },
  type: { trust: 'verified', schema: object({ fits: boolean(), known: boolean() }) },
  used: { trust: 'verified', schema: boolean() },
}
