/** Whether two engines said the same: they list the members of a set in orders of their own. */
import { canonicalJson } from '../../core/canonical.ts'
import type { Json } from '../../core/json.ts'

export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return canonicalJson(ordered(a)) === canonicalJson(ordered(b))
}

function ordered(value: Json): Json {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) {
    const members = value.map(ordered).map((one) => [canonicalJson(one), one] as const)
    return members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one)
  }
  const members = Object.entries(value as { readonly [name: string]: Json })
  return Object.fromEntries(members.map(([name, member]) => [name, ordered(member)]))
}
