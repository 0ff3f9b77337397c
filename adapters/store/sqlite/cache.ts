/**
 * Committed records by address, so that reads and conditions cost no SQL. Coherent because one process writes: an entry changes after the
 * COMMIT that changed the row, and in no other way. A record enters when it is read; written records that nobody reads stay out.
 */

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
  #young = new Map<string, Entry>()
  #old = new Map<string, Entry>()
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

  get(address: string): Entry | undefined {
    const young = this.#young.get(address)
    if (young) return young
    const old = this.#old.get(address)
    if (old) this.set(address, old)
    return old
  }

  has(address: string): boolean {
    return this.#young.has(address) || this.#old.has(address)
  }

  set(address: string, entry: Entry): void {
    this.delete(address)
    const size = sizeOf(address, entry)
    if (2 * size > this.#maxBytes) return
    if (2 * (this.#youngBytes + size) > this.#maxBytes) this.#age()
    this.#young.set(address, entry)
    this.#youngBytes += size
  }

  delete(address: string): void {
    const young = this.#young.get(address)
    if (young) this.#youngBytes -= sizeOf(address, young)
    this.#young.delete(address)
    const old = this.#old.get(address)
    if (old) this.#oldBytes -= sizeOf(address, old)
    this.#old.delete(address)
  }

  #age(): void {
    this.#old = this.#young
    this.#oldBytes = this.#youngBytes
    this.#young = new Map()
    this.#youngBytes = 0
  }
}

function sizeOf(address: string, { value }: Entry): number {
  return OVERHEAD + 2 * address.length + (value?.length ?? 0)
}
