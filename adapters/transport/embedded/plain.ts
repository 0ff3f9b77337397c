/**
 * A snapshot of plain data. Everything is read once and copied, so that what the caller changes later, or a getter that answers
 * differently, does not reach the decision. What JSON would bend or drop silently is refused.
 */
import { NoDecision } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'

const MAX_DEPTH = 32

/**
 * @throws NoDecision `malformed`: a cycle or more than 32 levels, an accessor, a function, a symbol, a BigInt, undefined, a hole in an
 *   array, an object with a prototype of its own, half a surrogate pair, a number that is not finite or beyond 2^53-1
 */
export function snapshot(value: unknown, at = '', depth: number = MAX_DEPTH): Json {
  if (value === null || typeof value === 'boolean') return value
  if (typeof value === 'string') return text(value, at)
  if (typeof value === 'number') {
    if (Number.isFinite(value) && Math.abs(value) <= Number.MAX_SAFE_INTEGER) return value
    refuse(at, 'a number beyond 2^53-1; send it as a decimal string')
  }
  if (typeof value !== 'object') refuse(at, `a ${typeof value}`)
  if (depth === 0) refuse(at, `more than ${MAX_DEPTH} levels, or a cycle`)
  return Array.isArray(value)
    ? items(value, at, depth - 1)
    : members(value as object, at, depth - 1)
}

/** The members of `names` as a snapshot, others ignored; undefined counts as absent for `optional`. @throws NoDecision `malformed` */
export function snapshotMembers(
  object: unknown,
  names: readonly string[],
  optional: readonly string[],
): Json {
  if (typeof object !== 'object' || object === null) refuse('', `a ${typeof object}`)
  const picked: Record<string, Json> = {}
  for (const name of [...names, ...optional]) {
    const value = Object.hasOwn(object, name) ? own(object, name, '') : undefined
    if (value !== undefined || !optional.includes(name))
      picked[name] = snapshot(value, `/${name}`, MAX_DEPTH - 1)
  }
  return picked
}

function items(array: readonly unknown[], at: string, depth: number): Json {
  return Array.from({ length: array.length }, (_, i) =>
    snapshot(own(array, String(i), at), `${at}/${i}`, depth),
  )
}

function members(object: object, at: string, depth: number): Json {
  const prototype: unknown = Object.getPrototypeOf(object)
  if (prototype !== Object.prototype && prototype !== null) refuse(at, 'an object of a class')
  const copy: Record<string, Json> = {}
  for (const name of Object.keys(object)) {
    const value = snapshot(own(object, text(name, at), at), `${at}/${name}`, depth)
    if (name === '__proto__') Object.defineProperty(copy, name, { value, ...PLAIN })
    else copy[name] = value
  }
  return copy
}
const PLAIN = { configurable: true, enumerable: true, writable: true }

function own(holder: object, name: string, at: string): unknown {
  const property = Object.getOwnPropertyDescriptor(holder, name)
  if (property === undefined) refuse(`${at}/${name}`, 'a hole')
  if (property.get !== undefined || property.set !== undefined)
    refuse(`${at}/${name}`, 'an accessor')
  return property.value
}

function text(value: string, at: string): string {
  if (!value.isWellFormed()) refuse(at, 'half a surrogate pair')
  return value
}

/** Names are the caller's own text, so the message has the level only. */
function refuse(at: string, what: string): never {
  const level = at.split('/').length - 1
  throw new NoDecision('malformed', `not plain JSON data: ${what} at level ${level}`)
}
