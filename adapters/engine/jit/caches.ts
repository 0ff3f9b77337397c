/** What a program keeps of single containers of the data: indexes, member sets, lists of keys. Made when first asked for; they follow changes. */
import { type Key, keyOf } from '../value/key.ts'
import { isArray, type Value } from '../value/value.ts'
import { KeyLists } from './key-lists.ts'
import { ScanIndex, WORTH_IT } from './scan-index.ts'

export class Caches {
  readonly #indexes: ScanIndex[] = []
  readonly #members = new WeakMap<object, Members>()
  readonly #keys = new KeptKeys(false)
  readonly #sortedKeys = new KeptKeys(true)

  /** An index of containers by these fields of their elements. */
  index(...fields: readonly string[]): ScanIndex {
    const made = new ScanIndex(fields)
    this.#indexes.push(made)
    return made
  }

  /** Whether `value` is an element of a collection that stays as it is. */
  member(value: Value, array: readonly Value[]): boolean {
    let members = this.#members.get(array)
    if (members === undefined) {
      members = new Members(array)
      this.#members.set(array, members)
    }
    return members.has(value)
  }

  /** Keys of an object that stays as it is. `list` makes a list that nobody else holds. */
  keys(object: object, list: (object: object) => Value[], sorted: boolean): readonly Value[] {
    return (sorted ? this.#sortedKeys : this.#keys).of(object, list)
  }

  /** `container[key]`, or something below it, is about to change. */
  leaving(container: object, key: number | string): void {
    for (const index of this.#indexes) index.leaving(container, key)
    this.#members.get(container)?.leaving(elementOf(container, key))
    this.#keys.leaving(container, key)
    this.#sortedKeys.leaving(container, key)
  }

  /** It has changed. */
  entered(container: object, key: number | string): void {
    for (const index of this.#indexes) index.entered(container, key)
    this.#members.get(container)?.entered(elementOf(container, key))
    this.#keys.entered(container, key)
    this.#sortedKeys.entered(container, key)
  }

  /** Elements of the array stand in other places. */
  shifted(array: object): void {
    for (const index of this.#indexes) index.drop(array)
    this.#members.delete(array)
  }
}

/** What stands in an array, and how often where that is more than once. */
class Members {
  readonly #keys = new Set<Key>()
  readonly #more = new Map<Key, number>()

  constructor(array: readonly Value[]) {
    for (const value of array) this.entered(value)
  }

  has(value: Value): boolean {
    return this.#keys.has(keyOf(value))
  }

  entered(value: Value | undefined): void {
    if (value === undefined) return
    const key = keyOf(value)
    if (this.#keys.has(key)) this.#more.set(key, (this.#more.get(key) ?? 0) + 1)
    else this.#keys.add(key)
  }

  leaving(value: Value | undefined): void {
    if (value === undefined) return
    const key = keyOf(value)
    const more = this.#more.get(key)
    if (more === undefined) this.#keys.delete(key)
    else if (more === 1) this.#more.delete(key)
    else this.#more.set(key, more - 1)
  }
}

/** Lists of the keys of objects, and the objects that lose a key for a moment or for good. */
class KeptKeys {
  readonly #of = new WeakMap<object, Value[]>()
  readonly #lists: KeyLists

  constructor(sorted: boolean) {
    this.#lists = new KeyLists(sorted)
  }

  of(object: object, list: (object: object) => Value[]): readonly Value[] {
    const known = this.#of.get(object)
    if (known !== undefined) return this.#lists.read(known)
    const made = list(object)
    this.#of.set(object, made)
    return made
  }

  leaving(object: object, key: number | string): void {
    const list = this.#of.get(object)
    if (list !== undefined && Object.hasOwn(object, key)) this.#lists.remove(list, key)
  }

  entered(object: object, key: number | string): void {
    const list = this.#of.get(object)
    if (list !== undefined && Object.hasOwn(object, key)) this.#lists.add(list, key)
  }
}

function elementOf(container: object, key: number | string): Value | undefined {
  return isArray(container as Value) ? (container as readonly Value[])[key as number] : undefined
}

/** Whether a member set of the array is worth its while. */
export function isLong(collection: Value): collection is readonly Value[] {
  return isArray(collection) && collection.length > WORTH_IT
}
