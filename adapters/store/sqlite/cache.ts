/**
 * Committed records, so that reads and conditions cost no SQL. Coherent because one process writes: an entry changes after the
 * COMMIT that changed the row, and in no other way. A record enters when it is read; written records that nobody reads stay out.
 */
import { KeyMap } from '../../../core/keymap.ts'
import type { Key } from '../../../core/ports/store.ts'

/** A row, or that there is none. */
export interface Entry {
  readonly version: string
  readonly value: Uint8Array | undefined
}
export const ABSENT: Entry = { version: 'absent', value: undefined }

/** Bytes that an entry costs beside its text and value, roughly. */
const OVERHEAD = 200

/**
 * Two generations: what is read moves to the young one, and when that is half full the old one is dropped. Reading a young entry costs one
 * look-up, where an exact order of use would cost three.
 */
export class RecordCache {
  #young = new KeyMap<Entry>()
  #old = new KeyMap<Entry>()
  readonly #maxBytes: number
  #youngBytes = 0
  #oldBytes = 0

  /** Holds about `maxBytes`; 0 holds nothing. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#youngBytes + this.#oldBytes
  }

  get(key: Key): Entry | undefined {
    const young = this.#young.get(key)
    if (young) return young
    const old = this.#old.get(key)
    if (old) this.set(key, old)
    return old
  }

  has(key: Key): boolean {
    return this.#young.has(key) || this.#old.has(key)
  }

  set(key: Key, entry: Entry): void {
    this.delete(key)
    const size = sizeOf(key, entry)
    if (2 * size > this.#maxBytes) return
    if (2 * (this.#youngBytes + size) > this.#maxBytes) this.#age()
    this.#young.set(key, entry)
    this.#youngBytes += size
  }

  delete(key: Key): void {
    const young = this.#young.get(key)
    if (young) this.#youngBytes -= sizeOf(key, young)
    this.#young.delete(key)
    const old = this.#old.get(key)
    if (old) this.#oldBytes -= sizeOf(key, old)
    this.#old.delete(key)
  }

  #age(): void {
    this.#old = this.#young
    this.#oldBytes = this.#youngBytes
    this.#young = new KeyMap()
    this.#youngBytes = 0
  }
}

function sizeOf({ partition, sort }: Key, { value }: Entry): number {
  return OVERHEAD + 2 * (partition.length + sort.length) + (value?.length ?? 0)
}
