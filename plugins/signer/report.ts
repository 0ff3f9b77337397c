/** What `signer` reports: the same ten fields for each of its actions. One that an action has no use for is there and empty. */
import type { FactsSchema } from '../../core/plugin.ts'
import { type Schema, schema } from '../../core/schema.ts'
import {
  MANAGED_STATES,
  type ManagedState,
  type SigningKey,
  signingKeySchema,
} from '../../formats/signingkey/index.ts'
import {
  ALGORITHMS,
  type Approval,
  actions,
  approvalsSchema,
  DECISION,
  type Delivery,
  deliverySchema,
  type KeyRecord,
  keySchema,
  MAX_SEALED,
  type ManagedAlgorithm,
  type ManagedScope,
  SCOPES,
  type Verifier,
  verifierSchema,
} from './schema.ts'

/** The verifiers of one scope that one decision can look at. */
export const MAX_VERIFIERS = 1000

export interface SignerFacts {
  /** Of this very request, by earlier ones, and what they are kept under. */
  readonly approvals: { readonly digest: string; readonly given: readonly Approval[] }
  /** Of secrets on their way: how many there are, which are over, and the one that the request names. */
  readonly delivery: {
    readonly count: number
    readonly expired: readonly string[]
    readonly known: readonly Delivery[]
  }
  /** The key's record; `known` is empty where there is none. */
  readonly key: { readonly known: readonly KeyRecord[] }
  /** Of a list: every managed key. */
  readonly keys: readonly { readonly name: string; readonly scope: ManagedScope }[]
  /** What custody has made. */
  readonly made: {
    readonly check: 'absent' | 'valid' | 'weak_key'
    readonly kid: string
    /** It is another version, or another plugin knows it. */
    readonly known: boolean
    /** Empty: a secret, whose salted digest is the `kid`. */
    readonly public_key: string
  }
  readonly payload: Said & { readonly check: 'malformed' | 'valid'; readonly problem?: string }
  /** The key that signs the verifier set. */
  readonly root: SigningKey
  /** Of the newest verifier set; 0: none. */
  readonly set: { readonly version: number }
  /** The one that the request names; empty where it is not registered. */
  readonly verifier: { readonly known: readonly Verifier[] }
  /** Of an activation and a status those of the key; of a registration how many the scope has. */
  readonly verifiers: { readonly count: number; readonly known: readonly Verifier[] }
}

/** The body's members; empty, 0 or `none` where it does not have them. */
export interface Said {
  readonly algorithm: ManagedAlgorithm | 'none'
  readonly auto: boolean
  readonly delivery: string
  readonly failed: string
  readonly grace_for: number
  readonly have: number
  readonly name: string
  readonly override: string
  readonly peer: { readonly id: string; readonly kind: string }
  readonly reason: string
  readonly recipient: string
  readonly rotate_after: number
  readonly scope: ManagedScope | 'none'
  readonly sealed: string
  readonly state: ManagedState | 'none'
  readonly verifier: string
  readonly version: number
}

const { array, boolean, integer, literal, object, string } = schema
const text = string({ maxLength: 256 })
const count = integer({ min: 0 })
const scope: Schema<ManagedScope> = literal(...SCOPES)
const peer = object({ id: text, kind: text })
/** Of what the kernel keeps itself, or computes from it. */
const own = <T>(field: Schema<T>) => ({ trust: 'verified', schema: field }) as const

const payload: Schema<SignerFacts['payload']> = object(
  {
    algorithm: literal(...ALGORITHMS, 'none'),
    auto: boolean(),
    check: literal('malformed', 'valid'),
    delivery: text,
    failed: text,
    grace_for: count,
    have: count,
    name: text,
    override: text,
    peer,
    reason: text,
    recipient: text,
    rotate_after: count,
    scope: literal(...SCOPES, 'none'),
    sealed: string({ maxLength: MAX_SEALED }),
    state: literal(...MANAGED_STATES, 'none'),
    verifier: text,
    version: count,
  },
  { problem: string({ maxLength: 2048 }) },
)

export const signerSchema: FactsSchema<SignerFacts> = {
  approvals: own(object({ digest: string({ maxLength: 64 }), given: approvalsSchema })),
  delivery: own(
    object({
      count,
      expired: array(DECISION),
      known: array(deliverySchema, { maxItems: 1 }),
    }),
  ),
  key: own(object({ known: array(keySchema, { maxItems: 1 }) })),
  keys: own(array(object({ name: text, scope }))),
  made: {
    trust: 'verified',
    evidence: { requiredFor: [] },
    schema: object({
      check: literal('absent', 'valid', 'weak_key'),
      kid: string({ maxLength: 64 }),
      known: boolean(),
      public_key: string({ maxLength: 87 }),
    }),
  },
  payload: { trust: 'verified', evidence: { requiredFor: actions }, schema: payload },
  root: own(signingKeySchema),
  set: own(object({ version: count })),
  verifier: own(object({ known: array(verifierSchema, { maxItems: 1 }) })),
  verifiers: own(object({ count, known: array(verifierSchema, { maxItems: MAX_VERIFIERS }) })),
}
