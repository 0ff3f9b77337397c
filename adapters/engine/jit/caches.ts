/** What a program keeps of single containers of the data: indexes, member sets, lists of keys. Made when first asked for. */
import { type Key, keyOf } from '../value/key.ts'
import { get, isArray, isObject, RegoObject, RegoSet, type Value } from '../value/value.ts'

/** Shorter containers are looked through faster than looked up. */
const WORTH_IT = 12

export class Caches {
  readonly #indexes: Index[] = []
  #members = new WeakMap<object, ReadonlySet<Key>>()
  #keys = new WeakMap<object, readonly Value[]>()
  #sortedKeys = new WeakMap<object, readonly Value[]>()

  /** An index of containers by these fields of their elements. */
  index(...fields: readonly string[]): Index {
    const made = new Index(fields)
    this.#indexes.push(made)
    return made
  }

  /** Whether `value` is an element of a collection that stays as it is. */
  member(value: Value, array: readonly Value[]): boolean {
    let members = this.#members.get(array)
    if (members === undefined) {
      members = new Set(array.map(keyOf))
      this.#members.set(array, members)
    }
    return members.has(keyOf(value))
  }

  /** Keys of an object that stays as it is. */
  keys(
    object: object,
    list: (object: object) => readonly Value[],
    sorted: boolean,
  ): readonly Value[] {
    const kept = sorted ? this.#sortedKeys : this.#keys
    const known = kept.get(object)
    if (known !== undefined) return known
    const made = list(object)
    kept.set(object, made)
    return made
  }

  /** The container, or an element of it, is about to change. */
  drop(container: object): void {
    for (const index of this.#indexes) index.drop(container)
    this.#members.delete(container)
    this.#keys.delete(container)
    this.#sortedKeys.delete(container)
  }
}

/** Keys of elements by the values of their fields, one level for each field. */
type Level = Map<Value, Level | Value[]>

/** Where a scan begins with "this field equals that", for up to three fields: which elements it can be. */
export class Index {
  readonly #fields: readonly string[]
  /** Null for containers that are not worth it. */
  #levels = new WeakMap<object, Level | null>()

  constructor(fields: readonly string[]) {
    this.#fields = fields
  }

  /**
   * Keys of all elements whose fields have these values, in Rego's order. Null where it cannot say: for a container that is short or
   * none, or for a value that is more than a scalar.
   */
  find(
    container: Value | undefined,
    first: Value,
    second?: Value,
    third?: Value,
  ): readonly Value[] | null {
    if (typeof container !== 'object' || container === null) return null
    if (isArray(container) && container.length < WORTH_IT) return null
    if (!isScalar(first) || !isScalar(second) || !isScalar(third)) return null
    let level = this.#levels.get(container)
    if (level === undefined) {
      level = this.#made(container)
      this.#levels.set(container, level)
    }
    if (level === null) return null
    let found: Level | Value[] | undefined = level.get(first)
    if (second !== undefined && found !== undefined) found = (found as Level).get(second)
    if (third !== undefined && found !== undefined) found = (found as Level).get(third)
    return found === undefined ? NONE : (found as Value[])
  }

  drop(container: object): void {
    this.#levels.delete(container)
  }

  #made(container: Value & object): Level | null {
    const keys = isArray(container) ? [...container.keys()] : keysInOrder(container)
    if (keys === null || keys.length < WORTH_IT) return null
    const root: Level = new Map()
    for (const key of keys) {
      const element = get(container, key)
      const values = this.#fields.map((field) => get(element, field))
      // What lacks a field does not equal, and what is no scalar equals none.
      if (values.every((value) => value !== undefined && isScalar(value)))
        insert(root, values as readonly Value[], key)
    }
    return root
  }
}

const NONE: readonly Value[] = []

function keysInOrder(container: Value & object): readonly Value[] | null {
  if (container instanceof RegoSet) return container.sorted()
  if (container instanceof RegoObject) return container.sorted().map(([key]) => key)
  return isObject(container) ? RegoSet.of(Object.keys(container)).sorted() : null
}

function insert(root: Level, values: readonly Value[], key: Value): void {
  let level = root
  for (const value of values.slice(0, -1)) {
    const below = level.get(value)
    const next: Level = below instanceof Map ? below : new Map()
    level.set(value, next)
    level = next
  }
  const last = values.at(-1) as Value
  const known = level.get(last)
  if (Array.isArray(known)) known.push(key)
  else level.set(last, [key])
}

function isScalar(value: Value | undefined): boolean {
  return typeof value !== 'object' || value === null
}

/** Whether a member set of the array is worth its while. */
export function isLong(collection: Value): collection is readonly Value[] {
  return isArray(collection) && collection.length > WORTH_IT
}
