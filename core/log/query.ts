/**
 * Which decisions a query asks for, by what their leaves say, and which of their fields. Leaves are public, so matching one opens nothing.
 * The same reading serves who asks, who grants and who looks up.
 */
import { type Schema, schema } from '../schema.ts'
import { parseDecimal } from './checkpoint.ts'
import type { DecisionLeaf } from './leaves.ts'

/** Every member narrows it; within a list, one of them has to fit. Indexes are decimal. */
export interface DecisionFilter {
  /** Leaf indexes: `from` is included, `to` is not. */
  readonly from?: string
  readonly to?: string
  /** Unix seconds: `since` is included, `until` is not. */
  readonly since?: number
  readonly until?: number
  readonly ids?: readonly string[]
  /** Actions, or `<plugin>.*`. */
  readonly actions?: readonly string[]
  readonly allow?: boolean
  readonly reasons?: readonly string[]
  readonly rules?: readonly string[]
  /** A policy's digest. */
  readonly policy?: string
}

const decimal = schema.string({ maxLength: 19, pattern: /^(?:0|[1-9][0-9]{0,18})$/ })
const texts = schema.array(schema.string({ maxLength: 128 }), { maxItems: 64 })

/** Members of a closed object that is, or has, a {@link DecisionFilter}. */
export const filterMembers: { readonly [Member in keyof DecisionFilter]-?: Schema<unknown> } = {
  from: decimal,
  to: decimal,
  since: schema.integer({ min: 0 }),
  until: schema.integer({ min: 0 }),
  ids: schema.array(schema.string({ maxLength: 32, pattern: /^[0-9a-f]{32}$/ }), { maxItems: 64 }),
  actions: texts,
  allow: schema.boolean(),
  reasons: texts,
  rules: texts,
  policy: schema.string({ maxLength: 71, pattern: /^(?:none|sha256:[0-9a-f]{64})$/ }),
}

/** Whether the decision at `index` is asked for. */
export function matchesFilter(leaf: DecisionLeaf, index: bigint, filter: DecisionFilter): boolean {
  const { actions, allow, from, ids, policy, reasons, rules, since, to, until } = filter
  return (
    (from === undefined || index >= (parseDecimal(from) ?? index + 1n)) &&
    (to === undefined || index < (parseDecimal(to) ?? index)) &&
    (since === undefined || leaf.time >= since) &&
    (until === undefined || leaf.time < until) &&
    (ids === undefined || ids.includes(leaf.id)) &&
    (actions === undefined || covers(actions, leaf.action)) &&
    (allow === undefined || leaf.allow === allow) &&
    (reasons === undefined || leaf.reasons.some(({ code }) => reasons.includes(code))) &&
    (rules === undefined || leaf.reasons.some(({ rule }) => rules.includes(rule))) &&
    (policy === undefined || leaf.policy === policy)
  )
}

/** One of `patterns` is `*`, is `name`, or is what stands before its first dot and `.*`. */
export function covers(patterns: readonly string[], name: string): boolean {
  const group = `${name.split('.', 1)[0]}.*`
  return patterns.some(
    (pattern) => pattern === '*' || pattern === name || (pattern === group && name.includes('.')),
  )
}

/** Fields of these actions may be opened; `*` stands for all, `access.*` and `facts.*` for those that begin so. */
export interface OpeningScope {
  readonly actions: readonly string[]
  readonly fields: readonly string[]
}
export const scopesSchema: Schema<readonly OpeningScope[]> = schema.array(
  schema.object({ actions: texts, fields: texts }),
  { maxItems: 64 },
)

export function isInScope(
  scopes: readonly OpeningScope[],
  { action }: Pick<DecisionLeaf, 'action'>,
  field: string,
): boolean {
  return scopes.some(({ actions, fields }) => covers(actions, action) && covers(fields, field))
}
