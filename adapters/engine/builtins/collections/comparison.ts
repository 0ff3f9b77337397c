/** Rego's equality and total order. Defined for values of any two types. */
import { compare, equal } from '../../value/order.ts'
import type { Value } from '../../value/value.ts'
import type { Builtin, Family } from '../builtin.ts'

function ordered(holds: (order: number) => boolean): Builtin {
  return (_context, a: Value, b: Value) => holds(compare(a, b))
}

export const COMPARISON: Family = {
  equal: (_context, a: Value, b: Value) => equal(a, b),
  neq: (_context, a: Value, b: Value) => !equal(a, b),
  lt: ordered((order) => order < 0),
  lte: ordered((order) => order <= 0),
  gt: ordered((order) => order > 0),
  gte: ordered((order) => order >= 0),
}
