/** Which elements of a container a scan can be about, where it begins with "this field equals that" for up to three fields. */
import { get, isArray, isObject, RegoObject, RegoSet, type Value } from '../value/value.ts'
import { KeyLists } from './key-lists.ts'

/** Shorter containers are looked through faster than looked up. */
export const WORTH_IT = 12

/** Keys of elements by the values of their fields, one level for each field. */
type Level = Map<Value, Level | Value[]>

export class ScanIndex {
  readonly #fields: readonly string[]
  /** Null for containers that are not worth it. */
  readonly #levels = new WeakMap<object, Level | null>()
  readonly #lists = new KeyLists(true)

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
    return found === undefined ? NONE : this.#lists.read(found as Value[])
  }

  /** The element at `key`, or something below it, is about to change. */
  leaving(container: object, key: number | string): void {
    const root = this.#levels.get(container)
    const values = root ? this.#valuesOf(container as Value, key) : undefined
    if (root && values !== undefined) this.#takeOut(root, values, key)
  }

  /** It has changed. */
  entered(container: object, key: number | string): void {
    const root = this.#levels.get(container)
    const values = root ? this.#valuesOf(container as Value, key) : undefined
    if (root && values !== undefined) this.#lists.add(bucketOf(root, values), key)
    // It may be worth it now.
    else if (root === null) this.drop(container)
  }

  drop(container: object): void {
    this.#levels.delete(container)
  }

  #made(container: Value & object): Level | null {
    const keys = isArray(container) ? container.keys() : keysInOrder(container)
    if (keys === null) return null
    const root: Level = new Map()
    for (const key of keys) {
      const values = this.#valuesOf(container, key)
      if (values !== undefined) bucketOf(root, values).push(key)
    }
    return root
  }

  /** Undefined for an element that is in no list: what lacks a field does not equal, and what is no scalar equals none. */
  #valuesOf(container: Value, key: Value): readonly Value[] | undefined {
    const element = get(container, key)
    const values: Value[] = []
    for (const field of this.#fields) {
      const value = get(element, field)
      if (value === undefined || !isScalar(value)) return undefined
      values.push(value)
    }
    return values
  }

  /** Lists that are empty go too. */
  #takeOut(level: Level, [value, ...rest]: readonly Value[], key: Value): void {
    const below = level.get(value as Value)
    if (below === undefined) return
    if (below instanceof Map) this.#takeOut(below, rest, key)
    else this.#lists.remove(below, key)
    if ((below instanceof Map ? below.size : below.length) === 0) level.delete(value as Value)
  }
}

const NONE: readonly Value[] = []

function keysInOrder(container: Value & object): readonly Value[] | null {
  const keys =
    container instanceof RegoSet
      ? container.sorted()
      : container instanceof RegoObject
        ? container.sorted().map(([key]) => key)
        : isObject(container)
          ? RegoSet.of(Object.keys(container)).sorted()
          : []
  return keys.length < WORTH_IT ? null : keys
}

/** The list of the elements with these values, made where there is none. */
function bucketOf(root: Level, values: readonly Value[]): Value[] {
  let level = root
  const last = values.length - 1
  for (let i = 0; i < last; i++) {
    const below = level.get(values[i] as Value)
    if (below instanceof Map) level = below
    else {
      const next: Level = new Map()
      level.set(values[i] as Value, next)
      level = next
    }
  }
  const known = level.get(values[last] as Value)
  if (Array.isArray(known)) return known
  const made: Value[] = []
  level.set(values[last] as Value, made)
  return made
}

function isScalar(value: Value | undefined): boolean {
  return typeof value !== 'object' || value === null
}
