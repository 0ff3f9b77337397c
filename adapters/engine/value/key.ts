/** A value as a key of a Map: equal values have equal keys. */
import { Decimal } from './number.ts'
import { type AnyObject, entriesOf, RegoObject, RegoSet, type Value } from './value.ts'

/** Scalars are their own key; NUL begins the keys of all others. */
export type Key = bigint | boolean | number | string | null

export function keyOf(value: Value): Key {
  if (typeof value === 'string') return value.charCodeAt(0) === 0 ? `\0s${value}` : value
  if (typeof value !== 'object' || value === null) return value
  return `\0${written(value)}`
}

/** One text a value, whichever form its objects have. */
function written(value: Value): string {
  if (typeof value === 'string') return JSON.stringify(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (Array.isArray(value)) return `[${value.map(written).join(',')}]`
  if (value instanceof Decimal) return `${value.coefficient}e${value.exponent}`
  if (value instanceof RegoSet) return `<${value.sorted().map(written).join(',')}>`
  return `{${members(value as AnyObject)}}`
}

function members(object: AnyObject): string {
  const entries = object instanceof RegoObject ? object.sorted() : entriesOf(object)
  return entries.map(([key, value]) => `${written(key)}:${written(value)}`).join(',')
}
