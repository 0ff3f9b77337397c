/** What `bootstrap` reports: the same fields for each of its actions. Every object's members are sorted by name. */
import type { FactsSchema } from '../../core/plugin.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { type SigningKey, signingKeySchema } from '../../formats/signingkey/index.ts'
import { taskNameSchema } from '../../formats/task/index.ts'
import {
  type Anchor,
  anchorsSchema,
  MAX_ANCHORS,
  TRUST_KINDS,
  type TrustKind,
} from '../../formats/trust/index.ts'

const { array, boolean, integer, literal, object, string } = schema
const count = integer({ min: 0 })
const kind: Schema<TrustKind> = literal(...TRUST_KINDS)
const hash = string({ maxLength: 64, pattern: /^[0-9a-f]{64}$/ })
const ttl = integer({ min: 1, max: 2_592_000 })
const reason = string({ maxLength: 256 })
/** Blank is no reason. */
const said = string({ maxLength: 256, pattern: /\S/ })
const anyAnchors = array(
  object({
    id: string({ maxLength: 64 }),
    state: literal('next', 'current', 'retiring'),
    value: string({ maxLength: 65_536 }),
  }),
  { maxItems: MAX_ANCHORS },
)

/** Shared with the effects. */
export const members: {
  readonly anchors: Schema<readonly Anchor[]>
  readonly hash: Schema<string>
  readonly kind: Schema<TrustKind>
  readonly ttl: Schema<number>
} = { anchors: anyAnchors, hash, kind, ttl }

/** The payload of each action. Closed: an unknown member makes it malformed. */
export const payloads: Readonly<Record<string, Schema<unknown>>> = {
  'bootstrap.acknowledge': object({
    node_id: taskNameSchema,
    trust: kind,
    version: integer({ min: 1 }),
  }),
  'bootstrap.fetch': object({
    node_id: taskNameSchema,
    secret: string({ maxLength: 43, pattern: /^[A-Za-z0-9_-]{43}$/ }),
  }),
  'bootstrap.issue': object({ node_id: taskNameSchema, token_hash: hash }, { ttl }),
  'bootstrap.publish': object({ anchors: anyAnchors, trust: kind }, { reason: said }),
}
export const actions: readonly string[] = Object.keys(payloads)

/** Of any action; which members are there, the action's schema says. */
export interface Payload {
  readonly anchors?: readonly Anchor[]
  readonly node_id?: string
  /** Why nodes that lag are not waited for. */
  readonly reason?: string
  readonly secret?: string
  readonly token_hash?: string
  readonly trust?: TrustKind
  readonly ttl?: number
  readonly version?: number
}
/** Anchors of a kind are of the form that its purpose needs. */
export const anchorsFit = (kind: TrustKind, anchors: readonly Anchor[]): boolean =>
  anchorsSchema[kind].problem(anchors, '') === undefined

export interface TokenRecord {
  readonly expires_at: number
  readonly node_id: string
  readonly used: boolean
}
export interface NodeRecord {
  readonly acknowledged: { readonly [Kind in TrustKind]: number }
}
/** A document as it was signed. */
export interface TrustRecord {
  readonly keyid: string
  /** base64 */
  readonly payload: string
  readonly payloadType: string
  readonly signatures?: { readonly signature: string }
}

/** What a new document changes; lists hold the ids of anchors. */
export interface Change {
  readonly added: readonly string[]
  /** Under a known id, another value. */
  readonly altered: readonly string[]
  readonly current: readonly string[]
  readonly dropped: readonly string[]
  /** Of what was dropped: it was in use. */
  readonly dropped_current: readonly string[]
  /** Added, and not as `next`. */
  readonly early: readonly string[]
  /** Was `next`, and is something else. */
  readonly promoted: readonly string[]
  /** Another kind's document has the same certificate or key. */
  readonly shared: readonly string[]
}
export interface BootstrapFacts {
  readonly change: Change
  readonly claimed: {
    readonly anchors: readonly Anchor[]
    readonly node_id: string
    readonly reason: string
    readonly token_hash: string
    readonly trust: TrustKind | 'none'
    readonly ttl: number
    readonly version: number
  }
  readonly key: SigningKey
  readonly node: { readonly acknowledged: number; readonly known: boolean }
  readonly payload: { readonly check: 'malformed' | 'valid'; readonly problem?: string }
  readonly token: {
    readonly expires_at: number
    readonly known: boolean
    readonly node_id: string
    readonly used: boolean
  }
  readonly trust: {
    /** Every kind has a document. */
    readonly complete: boolean
    /** Nodes that have not acknowledged the newest document of the kind: at most ten of them are named. */
    readonly lagging: readonly string[]
    /** Of the kind; 0 for none yet. */
    readonly version: number
  }
}

const names = array(string({ maxLength: 128 }), { maxItems: MAX_ANCHORS })
const text = (maxLength: number): Schema<string> => string({ maxLength })

export const bootstrapSchema: FactsSchema<BootstrapFacts> = {
  change: {
    trust: 'verified',
    schema: object({
      ...{ added: names, altered: names, current: names, dropped: names },
      ...{ dropped_current: names, early: names, promoted: names, shared: names },
    }),
  },
  claimed: {
    trust: 'claimed',
    schema: object({
      anchors: anyAnchors,
      node_id: text(128),
      reason,
      token_hash: text(64),
      trust: literal(...TRUST_KINDS, 'none'),
      ttl: count,
      version: count,
    }),
  },
  key: { trust: 'verified', schema: signingKeySchema },
  node: { trust: 'verified', schema: object({ acknowledged: count, known: boolean() }) },
  payload: {
    trust: 'verified',
    evidence: { requiredFor: actions },
    schema: object({ check: literal('malformed', 'valid') }, { problem: text(1024) }),
  },
  token: {
    trust: 'verified',
    schema: object({ expires_at: count, known: boolean(), node_id: text(128), used: boolean() }),
  },
  trust: {
    trust: 'verified',
    schema: object({ complete: boolean(), lagging: names, version: count }),
  },
}
