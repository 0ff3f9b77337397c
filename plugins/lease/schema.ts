/** What `lease` reports: the same eight fields for each of its actions. A field that an action has no use for is there and says so. */
import type { FactsSchema } from '../../core/plugin.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { type Caller, callerSchema, NAME, PUBLIC_KEY } from '../../formats/call/index.ts'
import type { Condition, LeaseRecord, ResourceRecord } from './records.ts'

const { array, boolean, integer, json, literal, object, string } = schema

/** Of the canonical JSON of a lease's caveats: a token has room for as much again. */
export const MAX_CAVEATS_BYTES = 6144

const seconds = integer({ min: 0, max: 99_999_999_999 })
const count = integer({ min: 0 })
const lease = string({ maxLength: 32, pattern: /^[0-9a-f]{32}$/ })
const resource = string({ maxLength: 128, pattern: /^[A-Za-z0-9][A-Za-z0-9._:/-]*$/ })
const why = string({ maxLength: 256 })
const ttl = integer({ min: 1, max: 31_622_400 })
const jti = string({ maxLength: 256, pattern: /^\P{Cc}+$/u })
const caveat: Schema<Condition> = object({
  t: string({ maxLength: 64, pattern: /^\P{Cc}+$/u }),
  v: json({ maxDepth: 6 }),
})
const caveats = array(caveat, { maxItems: 64 })

/** Shared with the effects, which write what these describe. */
export const members: {
  readonly caveats: Schema<readonly Condition[]>
  readonly lease: Schema<string>
  readonly resource: Schema<string>
  readonly seconds: Schema<number>
  readonly jti: Schema<string>
  readonly why: Schema<string>
} = { caveats, lease, resource, seconds, jti, why }

/** The payload of each action, or the body of the signed call. Closed: an unknown member makes it malformed. */
export const payloads: Readonly<Record<string, Schema<unknown>>> = {
  'lease.add-resource': object({ cell: NAME, resource }),
  'lease.expire': object({ lease }),
  'lease.free': object({ lease }),
  'lease.grant': object(
    { cell: NAME, nk: PUBLIC_KEY, resource, tenant: NAME, ttl },
    { caveats, cnf: PUBLIC_KEY, jti },
  ),
  'lease.observed': object({ epoch: count, resource, state: literal('reset') }),
  'lease.renew': object({ generation: count, lease, nk: PUBLIC_KEY, ttl }, { jti }),
  'lease.request-reset': object({ resource }),
  'lease.revoke': object({ lease }, { why }),
  'lease.torn-down': object({ epoch: count, lease, ok: boolean(), resource }, { why }),
}
export const actions: readonly string[] = Object.keys(payloads)

/** As the caller wrote it; each action has some of these members. */
export interface Asked {
  readonly caveats?: readonly Condition[]
  readonly cell?: string
  readonly cnf?: string
  readonly epoch?: number
  readonly generation?: number
  readonly jti?: string
  readonly lease?: string
  readonly nk?: string
  readonly ok?: boolean
  readonly resource?: string
  readonly tenant?: string
  readonly ttl?: number
  readonly why?: string
}

/** An entry of the revocation set. */
export interface Revoked {
  readonly below?: number
  /** Absent: for ever. */
  readonly until?: number
}

export interface LeaseFacts {
  /** Who signed the request, where it is a cell's call. */
  readonly caller: Caller
  /** The cell that issues. */
  readonly cell: {
    /** Name of the active key in this kernel's custody; empty where there is none. */
    readonly custody: string
    readonly found: boolean
    readonly local: boolean
    readonly name: string
  }
  /** Said by the caller, checked by nobody. */
  readonly claimed: { readonly why: string }
  readonly lease: { readonly found: boolean; readonly record?: LeaseRecord }
  readonly payload: {
    readonly caveats?: readonly Condition[]
    readonly check: 'malformed' | 'valid' | 'weak_key'
    readonly cnf?: string
    readonly epoch?: number
    readonly generation?: number
    readonly jti?: string
    readonly nk?: string
    readonly ok?: boolean
    /** Where a malformed payload went wrong. */
    readonly problem?: string
    readonly ttl?: number
  }
  readonly resource: {
    readonly found: boolean
    readonly name: string
    readonly record?: ResourceRecord
  }
  /** Entries for the issuing key, the lease and the tenant, where there are any. */
  readonly revoked: { readonly key?: Revoked; readonly lease?: Revoked; readonly tenant?: Revoked }
  readonly tenant: { readonly found: boolean; readonly name: string; readonly state: string }
}

const resourceRecord: Schema<ResourceRecord> = object(
  {
    cell: NAME,
    epoch: count,
    resource,
    since: seconds,
    state: literal('fenced', 'free', 'leased', 'tearing_down'),
  },
  { fence: object({ at: seconds, why }), lease },
)
const leaseRecord: Schema<LeaseRecord> = object(
  {
    caveats,
    cell: NAME,
    expires_at: seconds,
    generation: count,
    granted_at: seconds,
    lease,
    resource,
    state: literal('active', 'expired', 'freed', 'revoked'),
    tenant: NAME,
  },
  {
    cnf: PUBLIC_KEY,
    teardown: object({ epoch: count }, { outcome: literal('done', 'failed') }),
  },
)
const revoked: Schema<Revoked> = object({}, { below: count, until: integer() })
const name = string({ maxLength: 128 })

export const leaseSchema: FactsSchema<LeaseFacts> = {
  caller: { trust: 'verified', evidence: { requiredFor: [] }, schema: callerSchema },
  cell: {
    trust: 'verified',
    schema: object({ custody: string(), found: boolean(), local: boolean(), name }),
  },
  claimed: { trust: 'claimed', schema: object({ why }) },
  lease: { trust: 'verified', schema: object({ found: boolean() }, { record: leaseRecord }) },
  payload: {
    trust: 'verified',
    evidence: { requiredFor: actions },
    schema: object(
      { check: literal('malformed', 'valid', 'weak_key') },
      {
        caveats,
        cnf: PUBLIC_KEY,
        epoch: count,
        generation: count,
        jti,
        nk: PUBLIC_KEY,
        ok: boolean(),
        problem: string(),
        ttl,
      },
    ),
  },
  resource: {
    trust: 'verified',
    schema: object({ found: boolean(), name }, { record: resourceRecord }),
  },
  revoked: {
    trust: 'verified',
    schema: object({}, { key: revoked, lease: revoked, tenant: revoked }),
  },
  tenant: {
    trust: 'verified',
    schema: object({ found: boolean(), name, state: string({ maxLength: 32 }) }),
  },
}
