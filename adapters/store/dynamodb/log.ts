/** The log of the DynamoDB store: what has a place, and what is published. Leaves arrive through the store's commits and wait for {@link DynamoLog.integrate}. */
import { toHex } from '../../../core/crypto.ts'
import { StoreError } from '../../../core/error.ts'
import { leafHash } from '../../../core/log/leaf.ts'
import { HASH_BYTES } from '../../../core/log/tiles.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { Integration, LogStore, Published } from '../../../core/ports/logstore.ts'
import { checkLeafRange } from '../../../core/storage.ts'
import type { Client } from './client.ts'
import { type LogHead, readHead } from './head.ts'
import { indexKey, Sequencer } from './integrate.ts'
import type { Mirror } from './mirror.ts'
import { publish, readCheckpoint, readTile } from './publish.ts'
import { placedOf, Segments } from './segments.ts'

export interface DynamoLogOptions {
  readonly client: Client
  readonly clock: Clock
  readonly prefix: string
  readonly readOnly: boolean
  /** Where everything that is published is published too. */
  readonly mirror?: Mirror
  /** Milliseconds after which a silent holder of the lease is taken for dead; default 3,000. */
  readonly leaseMs?: number
}

export class DynamoLog implements LogStore {
  readonly name = 'logstore/dynamodb'
  readonly #client: Client
  readonly #prefix: string
  readonly #readOnly: boolean
  readonly #mirror: Mirror | undefined
  readonly #segments: Segments
  readonly #sequencer: Sequencer
  #integrating: Promise<Integration> | undefined
  #closed = false

  constructor({ client, clock, leaseMs, mirror, prefix, readOnly }: DynamoLogOptions) {
    client.join()
    this.#client = client
    this.#prefix = prefix
    this.#readOnly = readOnly
    this.#mirror = mirror
    const segments = new Segments(client, prefix)
    this.#segments = segments
    this.#sequencer = new Sequencer({
      ...{ client, clock, prefix, segments },
      sealed: async () => (await readCheckpoint(client, prefix))?.size ?? 0n,
      ...(leaseMs === undefined ? {} : { leaseMs }),
    })
  }

  async size(): Promise<bigint> {
    return (await this.#head()).size
  }

  async leaves(from: bigint, count: number): Promise<readonly Uint8Array[]> {
    checkLeafRange(from, count)
    const head = await this.#head()
    const end = from + BigInt(count)
    const to = end < head.size ? end : head.size
    return from < to ? this.#segments.leaves(head, from, to) : []
  }

  async indexOf(hash: Uint8Array): Promise<bigint | undefined> {
    this.#assertOpen()
    if (hash.length !== HASH_BYTES) return undefined
    const name = toHex(hash)
    const known = await this.#indexed(name)
    if (known !== undefined) return known
    // What has its place only since a moment ago may not be in the index, and be there when the head is another one already.
    const recent = await this.#indexInRecent(await this.#head(), name)
    return recent ?? (await this.#indexed(name))
  }

  async tile(level: number, index: bigint): Promise<Uint8Array | undefined> {
    this.#assertOpen()
    return readTile(this.#client, this.#prefix, level, index)
  }

  async checkpoint(): Promise<Uint8Array | undefined> {
    this.#assertOpen()
    return (await readCheckpoint(this.#client, this.#prefix))?.note
  }

  async publish(published: Published): Promise<void> {
    this.#assertOpen()
    if (this.#readOnly)
      throw new StoreError(this.name, 'read_only', 'it was opened to read; open it to write')
    const copy = copyOf(published)
    await publish(this.#client, this.#prefix, copy, await this.size())
    await this.#mirror?.publish(this, copy.checkpoint)
  }

  async integrate(): Promise<Integration> {
    this.#assertOpen()
    if (this.#readOnly) return { size: await this.size(), leads: false, pending: 0 }
    this.#integrating ??= this.#sequencer.pass().finally(() => {
      this.#integrating = undefined
    })
    return this.#integrating
  }

  /** Whoever waits for the lease has it at once; where that fails, after its time. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    await this.#integrating?.catch(() => undefined)
    await this.#sequencer.release().catch(() => undefined)
    this.#client.leave()
  }

  async #head(): Promise<LogHead> {
    this.#assertOpen()
    return readHead(this.#client, this.#prefix)
  }

  async #indexed(hash: string): Promise<bigint | undefined> {
    const n = (await this.#client.get(indexKey(this.#prefix, hash)))?.n?.N
    return n === undefined ? undefined : BigInt(n)
  }

  async #indexInRecent(head: LogHead, hash: string): Promise<bigint | undefined> {
    for (const placed of placedOf(head)) {
      const leaves = await this.#segments.read(placed)
      const at = leaves.findIndex((leaf) => toHex(leafHash(leaf)) === hash)
      if (at >= 0) return placed.from + BigInt(at)
    }
    return undefined
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError(this.name, 'closed', 'the log was closed; open it again')
  }
}

/** Sending takes a while, and the bytes are the caller's. */
function copyOf({ checkpoint, tiles }: Published): Published {
  const { note, root, size } = checkpoint
  return {
    checkpoint: { size, root: new Uint8Array(root), note: new Uint8Array(note) },
    tiles: tiles.map((tile) => ({ ...tile, hashes: new Uint8Array(tile.hashes) })),
  }
}
