/** A map by record key. Two look-ups of strings that exist already cost less than making, hashing and looking up one of both parts. */
import type { Key } from './ports/store.ts'

export class KeyMap<V> {
  readonly #partitions = new Map<string, Map<string, V>>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get({ partition, sort }: Key): V | undefined {
    return this.#partitions.get(partition)?.get(sort)
  }

  has({ partition, sort }: Key): boolean {
    return this.#partitions.get(partition)?.has(sort) ?? false
  }

  set({ partition, sort }: Key, value: V): void {
    let sorts = this.#partitions.get(partition)
    if (!sorts) {
      sorts = new Map()
      this.#partitions.set(partition, sorts)
    }
    const before = sorts.size
    sorts.set(sort, value)
    this.#size += sorts.size - before
  }

  delete({ partition, sort }: Key): void {
    if (this.#partitions.get(partition)?.delete(sort)) this.#size--
  }

  *[Symbol.iterator](): IterableIterator<readonly [Key, V]> {
    for (const [partition, sorts] of this.#partitions)
      for (const [sort, value] of sorts) yield [{ partition, sort }, value]
  }
}
