/**
 * Rego's values as plain JavaScript values, so that input and data are used as they are: no copy, no wrapper. Two things have no plain
 * form and a class each: {@link RegoSet}, and {@link RegoObject} for objects with a key that is not a string.
 *
 * Values that are handed out never change. Whoever builds a set or an object fills it before anybody else sees it.
 */
import { Boxed } from './boxed.ts'
import { type Key, keyOf } from './key.ts'
import { type Decimal, isNumber, type RegoNumber } from './number.ts'
import { compare } from './order.ts'

export type Value =
  | bigint
  | boolean
  | Decimal
  | null
  | number
  | PlainObject
  | RegoObject
  | RegoSet
  | string
  | readonly Value[]

/** Keys are own properties, whatever they are called: read them with {@link get}. */
export interface PlainObject {
  readonly [key: string]: Value
}

/** Members by {@link keyOf}: strings, numbers, booleans and null are their own key. */
export class RegoSet extends Boxed {
  /** A few scalars, which most sets are; undefined as soon as there is a map. */
  #few: Scalar[] | undefined = []
  #members: Map<Key, Value> | undefined
  #sorted: readonly Value[] | undefined

  static of(values: Iterable<Value>): RegoSet {
    const set = new RegoSet()
    for (const value of values) set.add(value)
    return set
  }

  /** Whoever fills it himself does so before he hands the set out. */
  get members(): Map<Key, Value> {
    return this.#map()
  }

  add(value: Value): this {
    const few = this.#few
    if (few !== undefined && typeof value !== 'object') {
      if (few.includes(value)) return this
      if (few.length < FEW) {
        few.push(value)
        this.#sorted = undefined
        return this
      }
    }
    const members = this.#map()
    const { size } = members
    members.set(keyOf(value), value)
    if (members.size !== size) this.#sorted = undefined
    return this
  }

  has(value: Value): boolean {
    const members = this.#members
    if (members !== undefined) return members.has(keyOf(value))
    return typeof value !== 'object' && (this.#few as Scalar[]).includes(value)
  }

  get size(): number {
    return this.#few === undefined ? this.#map().size : this.#few.length
  }

  /** In no order. Do not change it. */
  values(): readonly Value[] {
    return this.#few ?? [...this.#map().values()]
  }

  /** In Rego's order, which is what every iteration in Rego sees. Kept; do not change it. */
  sorted(): readonly Value[] {
    if (this.#sorted?.length !== this.size)
      this.#sorted = this.size < 2 ? [...this.values()] : [...this.values()].sort(compare)
    return this.#sorted
  }

  #map(): Map<Key, Value> {
    if (this.#members === undefined) {
      const members = new Map<Key, Value>()
      for (const value of this.#few ?? []) members.set(keyOf(value), value)
      this.#members = members
      this.#few = undefined
    }
    return this.#members
  }
}

type Scalar = bigint | boolean | number | string

/** Looked through faster than looked up. */
const FEW = 8

/** An object that {@link PlainObject} cannot say: with a key that is not a string. */
export class RegoObject extends Boxed {
  readonly members: Map<Key, readonly [key: Value, value: Value]> = new Map()
  #sorted: readonly (readonly [key: Value, value: Value])[] | undefined

  static of(entries: Iterable<readonly [key: Value, value: Value]>): RegoObject {
    const object = new RegoObject()
    for (const [key, value] of entries) object.set(key, value)
    return object
  }

  set(key: Value, value: Value): this {
    this.members.set(keyOf(key), [key, value])
    this.#sorted = undefined
    return this
  }

  get(key: Value): Value | undefined {
    return this.members.get(keyOf(key))?.[1]
  }

  get size(): number {
    return this.members.size
  }

  /** By key, in Rego's order. Kept; do not change it. */
  sorted(): readonly (readonly [key: Value, value: Value])[] {
    this.#sorted ??= [...this.members.values()].sort(([a], [b]) => compare(a, b))
    return this.#sorted
  }
}

export type AnyObject = PlainObject | RegoObject

export function isArray(value: Value | undefined): value is readonly Value[] {
  return Array.isArray(value)
}

export function isSet(value: Value | undefined): value is RegoSet {
  return value instanceof RegoSet
}

export function isObject(value: Value | undefined): value is AnyObject {
  if (typeof value !== 'object' || value === null || isArray(value)) return false
  return !(value instanceof Boxed) || value instanceof RegoObject
}

/** Rego's name of the type, as `type_name` gives it. */
export function typeName(value: Value): string {
  if (value === null) return 'null'
  if (isNumber(value as RegoNumber)) return 'number'
  if (isArray(value)) return 'array'
  if (isSet(value)) return 'set'
  return typeof value
}

/** `value[key]` in Rego: the element, the member's value, or undefined. A set answers with the member itself. */
export function get(value: Value | undefined, key: Value): Value | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (isArray(value)) return typeof key === 'number' ? value[key] : undefined
  if (value instanceof Boxed) return getBoxed(value, key)
  if (typeof key !== 'string') return undefined
  const found: unknown = (value as PlainObject)[key]
  // Of what objects inherit, all are functions, which no value is, but for the prototype itself.
  return typeof found === 'function' || found === Object.prototype
    ? undefined
    : (found as Value | undefined)
}

function getBoxed(value: Boxed, key: Value): Value | undefined {
  if (value instanceof RegoSet) return value.has(key) ? key : undefined
  return value instanceof RegoObject ? value.get(key) : undefined
}

/** Members of an object, by key in Rego's order. */
export function entriesOf(object: AnyObject): readonly (readonly [key: Value, value: Value])[] {
  if (object instanceof RegoObject) return object.sorted()
  return Object.keys(object)
    .sort(compare)
    .map((key) => [key, object[key] as Value])
}

export function sizeOf(object: AnyObject): number {
  return object instanceof RegoObject ? object.size : Object.keys(object).length
}

/** An object with these members, in the plain form where all keys are strings. */
export function objectOf(entries: Iterable<readonly [key: Value, value: Value]>): AnyObject {
  let object: AnyObject = {}
  for (const [key, value] of entries) object = insert(object, key, value)
  return object
}

/** Changes `object`, which must be the caller's own, and returns it: another one where the key is the first that is not a string. */
export function insert(object: AnyObject, key: Value, value: Value): AnyObject {
  if (object instanceof RegoObject) return object.set(key, value)
  if (typeof key === 'string') {
    define(object, key, value)
    return object
  }
  return RegoObject.of(Object.entries(object)).set(key, value)
}

/** An own property, also where the name is one that assigning would not make one of. */
export function define(object: PlainObject, key: string, value: Value): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  else (object as { [key: string]: Value })[key] = value
}
