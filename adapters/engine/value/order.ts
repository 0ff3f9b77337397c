/**
 * Rego's total order: null, booleans, numbers, strings, arrays, objects, sets. Strings by code point; arrays element by element; objects
 * by their keys and values in order; sets as their sorted members.
 *
 * @see https://www.openpolicyagent.org/docs/policy-reference (comparison), OPA's v1/ast/compare.go
 */
import { Boxed } from './boxed.ts'
import { compareNumbers, isNumber, type RegoNumber } from './number.ts'
import { type AnyObject, entriesOf, type PlainObject, RegoSet, type Value } from './value.ts'

/** Negative, zero or positive; zero exactly where the values are equal. */
export function compare(a: Value, b: Value): number {
  if (a === b) return 0
  if (typeof a === 'string' && typeof b === 'string') return compareStrings(a, b)
  const rank = rankOf(a)
  const ranks = rank - rankOf(b)
  if (ranks !== 0) return ranks
  switch (rank) {
    case RANK.boolean:
      return a === false ? -1 : 1
    case RANK.number:
      return compareNumbers(a as RegoNumber, b as RegoNumber)
    case RANK.array:
      return compareArrays(a as readonly Value[], b as readonly Value[])
    case RANK.set:
      return compareArrays((a as RegoSet).sorted(), (b as RegoSet).sorted())
    default:
      return compareObjects(a as AnyObject, b as AnyObject)
  }
}

export function equal(a: Value, b: Value): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (!Array.isArray(a)) return isPlain(a) && isPlain(b) ? sameMembers(a, b) : compare(a, b) === 0
  return Array.isArray(b) && a.length === b.length && a.every((one, i) => equal(one, b[i] as Value))
}

function isPlain(value: Value & object): value is PlainObject {
  return !(value instanceof Boxed) && !Array.isArray(value)
}

/** The order of the members does not matter, so that nothing is sorted. */
function sameMembers(a: PlainObject, b: PlainObject): boolean {
  const names = Object.keys(a)
  return (
    names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && equal(a[name]!, b[name]!))
  )
}

/** By code point: UTF-16 would put what lies beyond U+FFFF before U+E000. */
export function compareStrings(a: string, b: string): number {
  if (a === b) return 0
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1
  }
  return a.length - b.length
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

const RANK = { null: 0, boolean: 1, number: 2, string: 3, array: 4, object: 5, set: 6 } as const

function rankOf(value: Value): number {
  if (value === null) return RANK.null
  if (typeof value === 'boolean') return RANK.boolean
  if (typeof value === 'string') return RANK.string
  if (isNumber(value)) return RANK.number
  if (Array.isArray(value)) return RANK.array
  return value instanceof RegoSet ? RANK.set : RANK.object
}

function compareArrays(a: readonly Value[], b: readonly Value[]): number {
  const length = Math.min(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const order = compare(a[i] as Value, b[i] as Value)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** As OPA does: pair by pair, the keys before the values. */
function compareObjects(a: AnyObject, b: AnyObject): number {
  const left = entriesOf(a)
  const right = entriesOf(b)
  for (const [i, [key, value]] of left.entries()) {
    const other = right[i]
    if (other === undefined) return 1
    const order = compare(key, other[0]) || compare(value, other[1])
    if (order !== 0) return order
  }
  return left.length - right.length
}
