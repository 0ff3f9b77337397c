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

export class RecordCache {
  readonly #entries = new Map<string, Entry>()
  readonly #maxBytes: number
  #bytes = 0

  /** Holds about `maxBytes`; 0 holds nothing. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The entry, now the last one to be dropped. */
  get(address: string): Entry | undefined {
    const entry = this.#entries.get(address)
    if (entry) {
      this.#entries.delete(address)
      this.#entries.set(address, entry)
    }
    return entry
  }

  has(address: string): boolean {
    return this.#entries.has(address)
  }

  set(address: string, entry: Entry): void {
    this.delete(address)
    const size = sizeOf(address, entry)
    if (size > this.#maxBytes) return
    this.#entries.set(address, entry)
    this.#bytes += size
    while (this.#bytes > this.#maxBytes) this.delete(this.#entries.keys().next().value as string)
  }

  delete(address: string): void {
    const entry = this.#entries.get(address)
    if (!entry) return
    this.#entries.delete(address)
    this.#bytes -= sizeOf(address, entry)
  }
}

function sizeOf(address: string, { value }: Entry): number {
  return OVERHEAD + 2 * address.length + (value?.length ?? 0)
}
