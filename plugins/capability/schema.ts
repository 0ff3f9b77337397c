/**
 * What `capability` reports: the same eight fields for each of its actions. A field that an action has no use for is there and says so. Every
 * object's members are sorted by name.
 */
import type { Json } from '../../core/json.ts'
import type { FactsSchema } from '../../core/plugin.ts'
import type { UnixSeconds } from '../../core/ports/clock.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { type Caller, callerSchema, NAME } from '../../formats/call/index.ts'
import type { CellRecord, LeaseRecord, ResourceRecord, RevokedRecord } from './records.ts'

const { array, boolean, integer, json, literal, object, record, string } = schema

/** Members of an operation, `op` and `resource` among them. */
const MAX_MEMBERS = 32
/** Objects and arrays within each other in one of them. */
const MAX_DEPTH = 4
/** Records that one sweep removes: each is a write of its commit. */
export const MAX_SWEPT = 64
/** Of a token's text there are 16,384 bytes, and a caveat takes ten of its payload's: so many and no more. */
const MAX_CAVEATS = 2048

const name = string({ maxLength: 256, pattern: /^\P{Cc}+$/u })
const seconds = integer({ min: 0 })
const count = integer({ min: 0 })
const handle = string({ maxLength: 64, pattern: /^[0-9a-f]{64}$/ })
const counter = string({ maxLength: 69, pattern: /^[0-9a-f]{64}\/(?:0|[1-9][0-9]{0,3})$/ })
const id = string({ maxLength: 64, pattern: /^[0-9a-f]{64}$/ })
const key = string({ maxLength: 43, pattern: /^[\w-]{43}$/ })
const sort = string({ maxLength: 512, pattern: /^(?:nonce|reported|spent)\/\P{Cc}+$/u })

/** Shared with the effects, which write what these describe. */
export const members: {
  readonly count: Schema<number>
  readonly counter: Schema<string>
  readonly handle: Schema<string>
  readonly id: Schema<string>
  readonly keys: Schema<readonly string[]>
  readonly name: Schema<string>
  readonly seconds: Schema<number>
} = { count, counter, handle, id, keys: array(sort, { maxItems: MAX_SWEPT }), name, seconds }

/** What is asked for: `op`, `resource`, and whatever else the enforcement point knows, under the names that caveats look for. */
export interface Operation {
  readonly op: string
  readonly resource: string
  readonly [member: string]: Json
}

const anything = record(json({ maxDepth: MAX_DEPTH }), { maxMembers: MAX_MEMBERS })
const MEMBER = /^[a-z][a-z0-9_]{0,63}$/
const operation: Schema<Operation> = {
  // No properties: the check of a policy would take them for all that there are.
  json: { ...anything.json, required: ['op', 'resource'] },
  problem(value, at) {
    const problem = anything.problem(value, at)
    if (problem !== undefined) return problem
    const asked = value as Operation
    if (!Object.keys(asked).every((member) => MEMBER.test(member)))
      return `${at}: expected members like ${MEMBER.source}`
    return name.problem(asked.op, `${at}/op`) ?? name.problem(asked.resource, `${at}/resource`)
  },
}

/** What a cell tells the cell that a token names. */
export interface Report {
  /** Where it was presented. */
  readonly at: string
  /** The cell that it names. */
  readonly cell: string
  readonly handle: string
  readonly time: UnixSeconds
}
const report: Schema<Report> = object({ at: NAME, cell: NAME, handle, time: seconds })

export interface UsePayload {
  readonly at: string
  readonly operation: Operation
  readonly proof?: Proof
  readonly token: string
}
export interface Proof {
  readonly key: string
  readonly nonce: string
  readonly signature: string
  readonly time: UnixSeconds
}
const proof: Schema<Proof> = object({
  key,
  nonce: string({ maxLength: 128, pattern: /^[!-~]+$/ }),
  signature: string({ maxLength: 86, pattern: /^[\w-]{86}$/ }),
  time: seconds,
})

/** The payload of each action; of a report, the body of the signed call. Closed: an unknown member makes it malformed. */
export const payloads: Readonly<Record<string, Schema<unknown>>> = {
  'capability.report': report,
  'capability.sweep': object({ keys: members.keys }),
  // Of the token's text anything is taken: what it is too long for is said by the token's check.
  'capability.use': object(
    { at: NAME, operation, token: string({ maxLength: Number.MAX_SAFE_INTEGER }) },
    { proof },
  ),
}
export const actions: readonly string[] = Object.keys(payloads)

export interface TokenFact {
  readonly aud?: string
  /** To its holder, who has to prove it. */
  readonly bound?: boolean
  /** Values by type, in the token's order. */
  readonly caveats?: { readonly [type: string]: readonly Json[] }
  readonly check:
    | 'absent'
    | 'issuer_unknown'
    | 'malformed'
    | 'signature_invalid'
    | 'too_large'
    | 'valid'
    | 'weak_key'
  readonly exp?: UnixSeconds
  readonly gen?: number
  /** One for each block; the first one is the token's id. */
  readonly handles?: readonly string[]
  readonly iat?: UnixSeconds
  readonly iss?: string
  readonly jti?: string
  readonly key_state?: CellRecord['keys'][number]['state']
  readonly lease?: string
  readonly resource?: string
  readonly sealed?: boolean
  /** The issuer's key that signed it. */
  readonly signer?: string
  /** Types of caveats whose members are not `t` and `v`. */
  readonly surplus?: readonly string[]
  readonly tenant?: string
  /** Caveats whose type no rule can be named after. */
  readonly unsupported?: number
}

/** What a counted caveat has cost so far: zero before its first use. */
export interface Counter {
  readonly amount: number
  readonly key: string
  readonly since: UnixSeconds
}

/** The revocation set's entry for one of the token's blocks, its lease, its key or its tenant. */
export interface Revocation {
  readonly below?: number
  readonly kind: RevokedRecord['kind']
  /** Absent: for ever. */
  readonly until?: UnixSeconds
}

/** What other records say. Nothing is looked up for a token whose signatures do not hold. */
export interface StateFact {
  /** The issuer. `as_of`: how far a foreign one's revocations are known. */
  readonly cell: { readonly as_of?: UnixSeconds; readonly local: boolean }
  /** Of caveats whose type ends with `_budget`, in the order of the token's caveats of that type. */
  readonly counters: { readonly [type: string]: readonly Counter[] }
  /** Of a token for another cell than the one that asks. `custody`: of that one's key, if it is here. */
  readonly elsewhere?: { readonly custody?: string; readonly reported: boolean }
  readonly lease?: LeaseRecord
  readonly resource?: ResourceRecord
  readonly revocations: readonly Revocation[]
}

export interface CapabilityFacts {
  /** Who signed a report. */
  readonly caller: Caller
  /** Said by the enforcement point: which cell asks, and for what. */
  readonly claimed: { readonly at?: string; readonly operation?: Operation }
  readonly payload: { readonly check: 'malformed' | 'valid'; readonly problem?: string }
  readonly proof: {
    readonly check: 'absent' | 'key_mismatch' | 'signature_invalid' | 'valid'
    /** Of its nonce. */
    readonly id?: string
    /** When the same nonce may be forgotten: it was presented before. */
    readonly seen_until?: UnixSeconds
    readonly time?: UnixSeconds
  }
  readonly report: {
    readonly at?: string
    readonly handle?: string
    /** It was reported before. */
    readonly known?: boolean
    /** The cell that it is about is of this kernel. */
    readonly local?: boolean
    readonly time?: UnixSeconds
  }
  readonly state: StateFact
  readonly sweep: { readonly records: readonly { readonly key: string; readonly until: number }[] }
  readonly token: TokenFact
}

const keyState = literal('active', 'grace', 'retired', 'revoked')
const tokenSchema: Schema<TokenFact> = object(
  {
    check: literal(
      'absent',
      'issuer_unknown',
      'malformed',
      'signature_invalid',
      'too_large',
      'valid',
      'weak_key',
    ),
  },
  {
    aud: name,
    bound: boolean(),
    caveats: record(array(json(), { maxItems: MAX_CAVEATS }), { maxMembers: MAX_CAVEATS }),
    exp: seconds,
    gen: count,
    handles: array(handle, { maxItems: 16 }),
    iat: seconds,
    iss: name,
    jti: name,
    key_state: keyState,
    lease: name,
    resource: name,
    sealed: boolean(),
    signer: key,
    surplus: array(string({ maxLength: 64 }), { maxItems: MAX_CAVEATS }),
    tenant: name,
    unsupported: count,
  },
)
const leaseSchema: Schema<LeaseRecord> = object({
  cell: name,
  expires_at: seconds,
  generation: count,
  resource: name,
  state: literal('active', 'expired', 'freed', 'revoked'),
  tenant: name,
})
const stateSchema: Schema<StateFact> = object(
  {
    cell: object({ local: boolean() }, { as_of: seconds }),
    counters: record(
      array(object({ amount: count, key: counter, since: seconds }), { maxItems: MAX_CAVEATS }),
      { maxMembers: MAX_CAVEATS },
    ),
    revocations: array(
      object(
        { kind: literal('key', 'lease', 'tenant', 'token') },
        { below: count, until: seconds },
      ),
      { maxItems: 32 },
    ),
  },
  {
    elsewhere: object({ reported: boolean() }, { custody: string({ maxLength: 63 }) }),
    lease: leaseSchema,
    resource: object(
      { state: literal('fenced', 'free', 'leased', 'tearing_down') },
      { lease: name },
    ),
  },
)

export const capabilitySchema: FactsSchema<CapabilityFacts> = {
  caller: {
    trust: 'verified',
    evidence: { requiredFor: ['capability.report'] },
    schema: callerSchema,
  },
  claimed: { trust: 'claimed', schema: object({}, { at: NAME, operation }) },
  payload: {
    trust: 'verified',
    evidence: { requiredFor: actions },
    schema: object({ check: literal('malformed', 'valid') }, { problem: string() }),
  },
  proof: {
    trust: 'verified',
    evidence: { requiredFor: [] },
    schema: object(
      { check: literal('absent', 'key_mismatch', 'signature_invalid', 'valid') },
      { id, seen_until: seconds, time: seconds },
    ),
  },
  report: {
    trust: 'attested',
    schema: object({}, { at: NAME, handle, known: boolean(), local: boolean(), time: seconds }),
  },
  state: { trust: 'verified', schema: stateSchema },
  sweep: {
    trust: 'verified',
    schema: object({
      records: array(object({ key: sort, until: integer() }), { maxItems: MAX_SWEPT }),
    }),
  },
  token: { trust: 'verified', evidence: { requiredFor: ['capability.use'] }, schema: tokenSchema },
}
