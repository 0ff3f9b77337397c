/**
 * What `audit` reports: the same four fields for each of its actions. A field that an action has no use for is there and empty. Every
 * object's members are sorted by name.
 */
import { type DecisionFilter, filterMembers } from '../../core/log/query.ts'
import type { FactsSchema } from '../../core/plugin.ts'
import { type Schema, schema } from '../../core/schema.ts'

/** Records in one decision: each is a write or a check of its commit. */
export const MAX_RECORDS = 64
/** Leaves that one decision looks at to find them. */
export const MAX_SCANNED = 1024
/** Records in a page of a query. */
export const MAX_LIMIT = 256
export const DEFAULT_LIMIT = 100

const { array, boolean, integer, literal, object, string } = schema
const decimal = string({ maxLength: 19, pattern: /^(?:0|[1-9][0-9]{0,18})$/ })
const id = string({ maxLength: 32, pattern: /^[0-9a-f]{32}$/ })
const name: Schema<string> = string({ maxLength: 63, pattern: /^[a-z0-9][a-z0-9-]*$/ })
const purpose = string({ maxLength: 1024 })
const fields = array(string({ maxLength: 80 }), { maxItems: 64 })
const filter: Schema<DecisionFilter> = object({}, filterMembers) as Schema<DecisionFilter>

/** Shared with the effects, which write what these describe. */
export const members: {
  readonly filter: Schema<DecisionFilter>
  readonly ids: Schema<readonly string[]>
  readonly name: Schema<string>
} = { filter, ids: array(id, { maxItems: MAX_RECORDS }), name }

/** The payload of each action. Closed: an unknown member makes it malformed. */
export const payloads: Readonly<Record<string, Schema<unknown>>> = {
  'audit.erase': object({}, { ...filterMembers, purpose }),
  'audit.expire': object({}, { from: decimal }),
  'audit.hold': object({ name }, { ...filterMembers, purpose }),
  'audit.query': object(
    {},
    { ...filterMembers, fields, limit: integer({ min: 1, max: MAX_LIMIT }), purpose },
  ),
  'audit.receipt': object({ id }, { purpose }),
  'audit.release': object({ name }, { purpose }),
}
export const actions: readonly string[] = Object.keys(payloads)

export interface Payload extends DecisionFilter {
  readonly fields?: readonly string[]
  readonly id?: string
  readonly limit?: number
  readonly name?: string
  readonly purpose?: string
}

/** A legal hold: what it fits is not erased. */
export interface HoldRecord {
  readonly filter: DecisionFilter
  readonly name: string
}

export interface RecordFact {
  readonly action: string
  readonly allow: boolean
  /** The one who asks now is the one who asked then. False where that is not known any more. */
  readonly asked_by_peer: boolean
  /** Names of the holds that fit it. */
  readonly holds: readonly string[]
  readonly id: string
  /** Of its leaf, decimal. */
  readonly index: string
  /** False once it was erased. */
  readonly opened: boolean
  /** Unix seconds. */
  readonly time: number
}
export interface AuditFacts {
  /** Said by the caller, checked by nobody. */
  readonly claimed: { readonly purpose: string }
  /** The hold that the request names. */
  readonly hold: { readonly found: boolean; readonly name: string }
  readonly payload: {
    readonly check: 'malformed' | 'valid'
    readonly fields: readonly string[]
    readonly filter: DecisionFilter
    readonly limit: number
    /** Where a malformed payload went wrong. */
    readonly problem?: string
  }
  readonly records: {
    readonly items: readonly RecordFact[]
    /** Where to go on: there may be more. */
    readonly next?: string
  }
}

const record: Schema<RecordFact> = object({
  action: string({ maxLength: 256 }),
  allow: boolean(),
  asked_by_peer: boolean(),
  holds: array(name),
  id,
  index: decimal,
  opened: boolean(),
  time: integer({ min: 0 }),
})

export const auditSchema: FactsSchema<AuditFacts> = {
  claimed: { trust: 'claimed', schema: object({ purpose }) },
  hold: { trust: 'verified', schema: object({ found: boolean(), name: string() }) },
  payload: {
    trust: 'verified',
    evidence: { requiredFor: actions },
    schema: object(
      { check: literal('malformed', 'valid'), fields, filter, limit: integer() },
      { problem: string({ maxLength: 2048 }) },
    ),
  },
  records: {
    trust: 'verified',
    schema: object({ items: array(record, { maxItems: MAX_RECORDS }) }, { next: decimal }),
  },
}
