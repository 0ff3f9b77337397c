/** The log of the memory store. */
import { sameBytes } from '../../../core/crypto.ts'
import { LogError, StoreError } from '../../../core/error.ts'
import { leafHash } from '../../../core/log/leaf.ts'
import type { Integration, LogStore, Published } from '../../../core/ports/logstore.ts'
import { checkLeafRange, checkPublished } from '../../../core/storage.ts'

export class MemoryLog implements LogStore {
  readonly name = 'logstore/memory'
  readonly #leaves: Uint8Array[] = []
  readonly #indexes = new Map<string, bigint>()
  readonly #tiles = new Map<string, Uint8Array>()
  #checkpoint: Published['checkpoint'] | undefined
  #closed = false

  /** The leaf's place. Called by the paired store, within its commit. */
  append(leaf: Uint8Array): bigint {
    const index = BigInt(this.#leaves.length)
    const copy = new Uint8Array(leaf)
    this.#leaves.push(copy)
    const hash = latin1(leafHash(copy))
    if (!this.#indexes.has(hash)) this.#indexes.set(hash, index)
    return index
  }

  async size(): Promise<bigint> {
    this.#assertOpen()
    return BigInt(this.#leaves.length)
  }

  async leaves(from: bigint, count: number): Promise<readonly Uint8Array[]> {
    this.#assertOpen()
    checkLeafRange(from, count)
    const start = Number(from)
    return this.#leaves.slice(start, start + count).map((leaf) => leaf.slice())
  }

  async indexOf(hash: Uint8Array): Promise<bigint | undefined> {
    this.#assertOpen()
    return this.#indexes.get(latin1(hash))
  }

  async tile(level: number, index: bigint): Promise<Uint8Array | undefined> {
    this.#assertOpen()
    return this.#tiles.get(`${level}/${index}`)?.slice()
  }

  async checkpoint(): Promise<Uint8Array | undefined> {
    this.#assertOpen()
    return this.#checkpoint?.note.slice()
  }

  async publish(published: Published): Promise<void> {
    this.#assertOpen()
    checkPublished(this.name, published, BigInt(this.#leaves.length), this.#checkpoint)
    for (const { level, index, hashes } of published.tiles) {
      const known = this.#tiles.get(`${level}/${index}`)
      if (known && !sameBytes(known, hashes))
        throw new LogError(this.name, 'conflict', `tile ${level}/${index} was published otherwise`)
    }
    for (const { level, index, hashes } of published.tiles)
      this.#tiles.set(`${level}/${index}`, new Uint8Array(hashes))
    const { size, root, note } = published.checkpoint
    this.#checkpoint = { size, root: new Uint8Array(root), note: new Uint8Array(note) }
  }

  async integrate(): Promise<Integration> {
    return { size: await this.size(), leads: true, pending: 0 }
  }

  async close(): Promise<void> {
    this.#closed = true
  }

  #assertOpen(): void {
    if (this.#closed)
      throw new StoreError(this.name, 'closed', 'the log was closed; open a new one')
  }
}

/** A map's key for bytes. */
function latin1(bytes: Uint8Array): string {
  return String.fromCharCode(...bytes)
}
