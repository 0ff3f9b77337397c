/**
 * The sequencer. One pass: leaves that wait are read and cut into segments, which are written; one change of the head gives them their places; then
 * what follows from it is written: where each segment begins, the index, and that its leaves wait no more. Whatever ends a process in between, the next
 * holder of the lease writes what follows from the head's last change before it makes one of its own, so every leaf has one place
 * (`docs/decisions/0015-sequencer.md`).
 */
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { toHex } from '../../../core/crypto.ts'
import { StoreError } from '../../../core/error.ts'
import { leafHash } from '../../../core/log/leaf.ts'
import type { Clock, UnixMillis } from '../../../core/ports/clock.ts'
import type { Integration } from '../../../core/ports/logstore.ts'
import type { Client } from './client.ts'
import { type LogHead, readHead, replaceHead } from './head.ts'
import { pendingKey } from './keys.ts'
import { Lease } from './lease.ts'
import { type PendingLeaf, PendingLeaves } from './pending.ts'
import { type Placed, placedOf, placeKey, type Segments } from './segments.ts'
import { type ItemKey, itemKey, MAX_ITEMS } from './table.ts'

export interface SequencerOptions {
  readonly client: Client
  readonly prefix: string
  readonly clock: Clock
  readonly segments: Segments
  /** Leaves under the published checkpoint. */
  readonly sealed: () => Promise<bigint>
  /** How long a holder of the lease may be silent; default 3,000. */
  readonly leaseMs?: number
}

/** Leaves of one pass, and their bytes: what one process holds in memory for it. */
const MAX_LEAVES = 1024
const MAX_BYTES = 8 * 1024 * 1024
/** Two items each, in one transaction; 4 MB of the longest leaves are more. */
const SETTLED = MAX_ITEMS / 2
/** Transactions at the same time; then the lease is looked after. */
const AT_ONCE = 4

export const indexKey = (prefix: string, hash: string): ItemKey =>
  itemKey(`${prefix}|l|i|${hash}`, 'i')

export class Sequencer {
  readonly #options: SequencerOptions
  readonly #lease: Lease
  readonly #pending: PendingLeaves
  /** The head by which this process has the lease. */
  #head: LogHead | undefined
  /** The version of the head whose consequences are written. */
  #settled: string | undefined

  constructor(options: SequencerOptions) {
    this.#options = options
    this.#lease = new Lease(options.clock, options.leaseMs)
    this.#pending = new PendingLeaves(options.client, options.prefix)
  }

  /** One at a time. @throws StoreError: the next pass goes on where this one ended */
  async pass(): Promise<Integration> {
    try {
      const head = this.#head ?? (await this.#read())
      if (this.#lease.holds(head)) {
        this.#head = head
        return await this.#lead(head)
      }
      const { alive, free } = this.#lease.look(head)
      if (free) return await this.#take(head)
      const pending = !alive && (await this.#pending.any()) ? 1 : 0
      return { size: head.size, leads: false, pending }
    } catch (error) {
      this.#head = undefined
      throw error
    }
  }

  /** So that the next one need not wait until the lease is over. */
  async release(): Promise<void> {
    const head = this.#head
    if (!head) return
    // What is written once need not be written again by whoever is next.
    const recent = this.#settled === head.version ? [] : head.recent
    await this.#replace(head, { holder: '', recent })
    this.#head = undefined
  }

  #read(): Promise<LogHead> {
    return readHead(this.#options.client, this.#options.prefix)
  }

  /** Nobody has the lease, or a holder that is silent. Where there is nothing to do it is left to others. */
  async #take(head: LogHead): Promise<Integration> {
    const { leaves, more } = await this.#pending.look()
    const idle = leaves.length === 0 && !more
    if (idle && (await this.#options.sealed()) >= head.size)
      return { size: head.size, leads: false, pending: 0 }
    const taken = await this.#replace(head, { holder: this.#lease.me, epoch: head.epoch + 1 })
    if (!taken) return { size: head.size, leads: false, pending: leaves.length }
    return this.#lead(taken, { leaves, more })
  }

  async #lead(
    head: LogHead,
    seen?: Awaited<ReturnType<PendingLeaves['look']>>,
  ): Promise<Integration> {
    const whole = this.#settled === head.version ? head : await this.#settle(head)
    const { leaves, more } = seen ?? (await this.#pending.look())
    const fresh = await this.#unplaced(leaves)
    const count = within(fresh)
    if (count === 0) return this.#rest(whole, more)
    const taken = fresh.slice(0, count)
    const { segments } = this.#options
    const recent = await segments.write(
      whole.size,
      taken.map(({ leaf }) => leaf),
    )
    const next = await this.#replace(whole, { size: whole.size + BigInt(count), recent })
    if (!next) return { size: whole.size, leads: false, pending: fresh.length }
    await this.#settle(next)
    const oldest = fresh[count]?.at
    return { size: next.size, leads: true, ...left(fresh.length - count, more, oldest) }
  }

  /** Nothing waits. The lease is kept for as long as there is a head to sign. */
  async #rest(head: LogHead, more: boolean): Promise<Integration> {
    const { size } = head
    if (!more && (await this.#options.sealed()) >= size) {
      await this.release()
      return { size, leads: false, pending: 0 }
    }
    this.#settled = (await this.#keep(head)).version
    return { size, leads: true, ...left(0, more, undefined) }
  }

  async #replace(
    head: LogHead,
    change: Parameters<typeof replaceHead>[3],
  ): Promise<LogHead | undefined> {
    const { client, prefix } = this.#options
    this.#head = await replaceHead(client, prefix, head, change)
    if (this.#head) this.#lease.renewed()
    return this.#head
  }

  /**
   * Without those that have a place. The index is whole here: what follows from the head's last change is written. One that waits again was
   * committed twice, by a request that came late.
   */
  async #unplaced(leaves: readonly PendingLeaf[]): Promise<readonly PendingLeaf[]> {
    const { client, prefix } = this.#options
    const chunks = inChunks(leaves, MAX_ITEMS)
    const found = await Promise.all(
      chunks.map((chunk) => client.getMany(chunk.map(({ hash }) => indexKey(prefix, hash)))),
    )
    const placed = new Set(found.flat().map(({ pk }) => pk?.S))
    const has = ({ hash }: PendingLeaf): boolean => placed.has(indexKey(prefix, hash).pk.S)
    const again = leaves.filter(has).map(({ hash }) => this.#waitsNoMore(hash))
    await this.#write(inChunks(again, SETTLED))
    return leaves.filter((leaf) => !has(leaf))
  }

  /**
   * Writes what follows from the head's last change; doing it again changes nothing. What it returns is the head with the lease renewed.
   *
   * @throws StoreError `unavailable`: another process has the lease now, and does the same
   */
  async #settle(head: LogHead): Promise<LogHead> {
    const { client, prefix, segments } = this.#options
    const TableName = client.table
    const placed = placedOf(head)
    const places = placed.map(({ count, from, hash }) => {
      const Item = { ...placeKey(prefix, from), b: { S: hash }, c: { N: String(count) } }
      return { Put: { TableName, Item } }
    })
    const leaves = await Promise.all(
      placed.map(async (each) => indexed(each, await segments.read(each))),
    )
    const pairs = leaves
      .flat()
      .map(({ hash, index }) => [
        { Put: { TableName, Item: { ...indexKey(prefix, hash), n: { N: index.toString() } } } },
        this.#waitsNoMore(hash),
      ])
    await this.#write(inChunks(places, MAX_ITEMS))
    let kept = head
    const transactions = inChunks(pairs, SETTLED).map((chunk) => chunk.flat())
    for (const some of inChunks(transactions, AT_ONCE)) {
      await this.#write(some)
      kept = await this.#keep(kept)
    }
    this.#settled = kept.version
    return kept
  }

  async #keep(head: LogHead): Promise<LogHead> {
    const kept = this.#lease.due ? await this.#replace(head, {}) : head
    if (kept) return kept
    const what = 'another process has the lease; nothing is lost, and it goes on'
    throw new StoreError('logstore/dynamodb', 'unavailable', what)
  }

  #waitsNoMore(hash: string): TransactWriteItem {
    const { client, prefix } = this.#options
    return { Delete: { TableName: client.table, Key: pendingKey(prefix, hash) } }
  }

  async #write(transactions: readonly (readonly TransactWriteItem[])[]): Promise<void> {
    await Promise.all(transactions.map((items) => this.#options.client.transact(items)))
  }
}

const indexed = (
  { from }: Placed,
  leaves: readonly Uint8Array[],
): readonly { readonly hash: string; readonly index: bigint }[] =>
  leaves.map((leaf, i) => ({ hash: toHex(leafHash(leaf)), index: from + BigInt(i) }))

/** How many of them one pass takes. */
function within(leaves: readonly PendingLeaf[]): number {
  let bytes = 0
  const end = leaves.findIndex(({ leaf }, i) => {
    bytes += leaf.length
    return i === MAX_LEAVES || (i > 0 && bytes > MAX_BYTES)
  })
  return end < 0 ? leaves.length : end
}

function left(
  count: number,
  more: boolean,
  oldest: UnixMillis | undefined,
): Pick<Integration, 'pending' | 'since'> {
  return { pending: count + (more ? 1 : 0), ...(oldest === undefined ? {} : { since: oldest }) }
}

function inChunks<T>(all: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, i) =>
    all.slice(i * size, (i + 1) * size),
  )
}
