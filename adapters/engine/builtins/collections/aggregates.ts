/** One value of many: counts, sums, extremes, membership. */
import { bigint, plus, times } from '../../value/arithmetic.ts'
import { add, type Float, floatOf, multiply, numberOf } from '../../value/float.ts'
import { isNumber, type RegoNumber } from '../../value/number.ts'
import { compare, equal } from '../../value/order.ts'
import {
  get,
  isArray,
  isObject,
  RegoObject,
  RegoSet,
  sizeOf,
  type Value,
} from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { elementsOf, wrongElement, wrongType } from '../operands.ts'

const count: Builtin = (context, value: Value) => {
  if (typeof value === 'string') return codePoints(value)
  if (isArray(value)) return value.length
  if (value instanceof RegoSet) return value.size
  if (isObject(value)) return sizeOf(value)
  return wrongType(context, 1, value, 'array', 'object', 'set', 'string')
}

export function codePoints(text: string): number {
  let points = text.length
  for (let i = 0; i < text.length - 1; i++) {
    const unit = text.charCodeAt(i)
    if (unit < 0xd800 || unit > 0xdbff) continue
    const next = text.charCodeAt(i + 1)
    if (next >= 0xdc00 && next <= 0xdfff) {
      points--
      i++
    }
  }
  return points
}

interface Fold {
  readonly start: number
  readonly exactly: typeof plus
  readonly inFloats: (total: Float, next: Float) => Float
}

/** OPA begins a sum with no precision of its own, and a product with the 53 bits of its 1. */
const SUM: Fold = { start: 0, exactly: plus, inFloats: (total, next) => add(total, next) }
const PRODUCT: Fold = {
  start: 1,
  exactly: times,
  inFloats: (total, next) => multiply(total, next, 53),
}

function folded(fold: Fold): Builtin {
  return (context, value: Value) => {
    const elements = elementsOf(value)
    if (elements === undefined) return wrongType(context, 1, value, 'set', 'array')
    if (!elements.every(isNumber)) return wrongElement(context, 1, value, 'number')
    const numbers = elements as readonly RegoNumber[]
    return numbers.every((element) => bigint(element) !== undefined)
      ? inIntegers(context, fold, numbers)
      : inFloats(context, fold, numbers)
  }
}

function inIntegers(
  context: Context,
  fold: Fold,
  numbers: readonly RegoNumber[],
): RegoNumber | undefined {
  let total: RegoNumber = fold.start
  for (const element of numbers) {
    if (typeof total === 'bigint') context.spend(1)
    const next = fold.exactly(total, element)
    if (typeof next === 'string') return fail(context, next)
    total = next
  }
  return total
}

function inFloats(
  context: Context,
  fold: Fold,
  numbers: readonly RegoNumber[],
): RegoNumber | undefined {
  context.spend(numbers.length)
  let total = floatOf(fold.start)
  for (const element of numbers) {
    const next = floatOf(element)
    if (total === undefined || next === undefined) return fail(context, 'too large')
    total = fold.inFloats(total, next)
  }
  return total === undefined ? undefined : numberOf(total)
}

/** The first in order, or with `sign` -1 the last. Undefined for nothing at all. */
function extreme(sign: 1 | -1): Builtin {
  return (context, value: Value) => {
    if (value instanceof RegoSet) return value.sorted().at(sign === 1 ? 0 : -1)
    if (!isArray(value)) return wrongType(context, 1, value, 'set', 'array')
    let best = value[0]
    for (const element of value) if (sign * compare(element, best as Value) < 0) best = element
    return best
  }
}

const member: Builtin = (_context, value: Value, collection: Value) => {
  if (collection instanceof RegoSet) return collection.has(value)
  if (isArray(collection)) return includes(collection, value)
  if (!isObject(collection)) return false
  if (collection instanceof RegoObject) {
    for (const [, one] of collection.members.values()) if (equal(one, value)) return true
    return false
  }
  return includes(Object.values(collection), value)
}

function includes(elements: readonly Value[], value: Value): boolean {
  // Scalars have one form each, so that identity is equality.
  if (typeof value !== 'object' || value === null) return elements.includes(value)
  return elements.some((element) => equal(element, value))
}

const memberWithKey: Builtin = (_context, key: Value, value: Value, collection: Value) => {
  const found = get(collection, key)
  return found !== undefined && equal(found, value)
}

export const AGGREGATES: Family = {
  count,
  sum: folded(SUM),
  product: folded(PRODUCT),
  max: extreme(-1),
  min: extreme(1),
  sort: (context, value: Value) => {
    if (value instanceof RegoSet) return value.sorted()
    return isArray(value) ? value.toSorted(compare) : wrongType(context, 1, value, 'set', 'array')
  },
  all: (context, value: Value) =>
    elementsOf(value)?.every((element) => element === true) ??
    wrongType(context, 1, value, 'array', 'set'),
  any: (context, value: Value) =>
    value instanceof RegoSet
      ? value.has(true)
      : (elementsOf(value)?.includes(true) ?? wrongType(context, 1, value, 'array', 'set')),
  'internal.member_2': member,
  'internal.member_3': memberWithKey,
}
