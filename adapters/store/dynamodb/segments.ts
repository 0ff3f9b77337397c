/**
 * Leaves with places, in segments: an item of up to 256 leaves that never crosses a multiple of 256, below the hash of its bytes. Where it begins
 * stands in the head while it is new, then in an item of its own. A segment that no head came to name is left over; it hurts nobody.
 */
import { sha256Hex } from '../../../core/crypto.ts'
import { LogError } from '../../../core/error.ts'
import { decodeEntries, encodeEntries, TILE_WIDTH } from '../../../core/log/tiles.ts'
import type { Client } from './client.ts'
import { type LogHead, recentFrom, type Segment } from './head.ts'
import { type ItemKey, itemKey, MAX_VALUE_BYTES } from './table.ts'

export interface Placed extends Segment {
  readonly from: bigint
}
/** Segments that are kept in memory: they never change. */
const KEPT = 32
const WIDTH = BigInt(TILE_WIDTH)

const bundleKey = (prefix: string, hash: string): ItemKey => itemKey(`${prefix}|l|b|${hash}`, 'b')
const placesPk = (prefix: string, tile: bigint): string => `${prefix}|l|s|${tile}`
export const placeKey = (prefix: string, from: bigint): ItemKey =>
  itemKey(placesPk(prefix, from / WIDTH), (from % WIDTH).toString().padStart(3, '0'))

export class Segments {
  readonly #client: Client
  readonly #prefix: string
  readonly #kept = new Map<string, readonly Uint8Array[]>()

  constructor(client: Client, prefix: string) {
    this.#client = client
    this.#prefix = prefix
  }

  /** The segments of these leaves from `from` on, each written. Writing one twice is writing it once. */
  async write(from: bigint, leaves: readonly Uint8Array[]): Promise<readonly Segment[]> {
    return Promise.all(cut(from, leaves).map((part) => this.#write(part)))
  }

  async #write(leaves: readonly Uint8Array[]): Promise<Segment> {
    const bytes = encodeEntries(leaves)
    const hash = sha256Hex(bytes)
    const Item = { ...bundleKey(this.#prefix, hash), d: { B: bytes } }
    await this.#client.transact([{ Put: { TableName: this.#client.table, Item } }])
    this.#keep(hash, decodeEntries(bytes, leaves.length))
    return { hash, count: leaves.length }
  }

  /** Views of bytes that are kept: copy what leaves the adapter. @throws LogError `missing`, `inconsistent` */
  async read({ count, hash }: Segment): Promise<readonly Uint8Array[]> {
    const known = this.#kept.get(hash)
    if (known) return known
    const bytes = (await this.#client.get(bundleKey(this.#prefix, hash)))?.d?.B
    if (bytes === undefined)
      throw new LogError('logstore/dynamodb', 'missing', 'leaves are gone; restore the table')
    if (sha256Hex(bytes) !== hash)
      throw new LogError('logstore/dynamodb', 'inconsistent', 'leaves were changed; restore them')
    const leaves = decodeEntries(bytes, count)
    this.#keep(hash, leaves)
    return leaves
  }

  /** Leaves `from` to `to - 1`, all of which have places under `head`. @throws LogError `missing` */
  async leaves(head: LogHead, from: bigint, to: bigint): Promise<Uint8Array[]> {
    const segments = await this.#covering(head, from, to)
    const read = await Promise.all(segments.map((segment) => this.read(segment)))
    const leaves: Uint8Array[] = []
    let at = from
    for (const [i, segment] of segments.entries()) {
      const skipped = Number(at - segment.from)
      const left = Number(to - at)
      const taken = read[i]!.slice(skipped, skipped + left)
      leaves.push(...taken.map((leaf) => new Uint8Array(leaf)))
      at += BigInt(taken.length)
    }
    if (at === to) return leaves
    throw new LogError('logstore/dynamodb', 'missing', `leaf ${at} has no place; restore the table`)
  }

  /** In their order, without a gap. */
  async #covering(head: LogHead, from: bigint, to: bigint): Promise<readonly Placed[]> {
    const found = new Map<bigint, Placed>()
    const first = recentFrom(head)
    if (from < first)
      for (let tile = from / WIDTH; tile * WIDTH < to; tile++)
        for (const placed of await this.#inTile(tile)) found.set(placed.from, placed)
    for (const placed of placedOf(head)) found.set(placed.from, placed)
    const inOrder = [...found.values()].sort((a, b) => (a.from < b.from ? -1 : 1))
    const covering: Placed[] = []
    let at = from
    for (const placed of inOrder) {
      const end = placed.from + BigInt(placed.count)
      if (end <= at || at >= to) continue
      if (placed.from > at) break
      covering.push(placed)
      at = end
    }
    return covering
  }

  async #inTile(tile: bigint): Promise<readonly Placed[]> {
    const found: Placed[] = []
    let after: string | undefined
    do {
      const from = after === undefined ? {} : { after }
      const page = await this.#client.page({
        pk: placesPk(this.#prefix, tile),
        prefix: '',
        ...from,
      })
      for (const { b, c, sk } of page.items)
        found.push({
          from: tile * WIDTH + BigInt(sk?.S ?? 0),
          hash: b?.S ?? '',
          count: Number(c?.N ?? 0),
        })
      after = page.next
    } while (after !== undefined)
    return found
  }

  #keep(hash: string, leaves: readonly Uint8Array[]): void {
    this.#kept.set(hash, leaves)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= KEPT) return
      this.#kept.delete(oldest)
    }
  }
}

/** The head's recent segments, with where they begin. */
export function placedOf(head: LogHead): readonly Placed[] {
  let from = recentFrom(head)
  return head.recent.map((segment) => {
    const placed = { ...segment, from }
    from += BigInt(segment.count)
    return placed
  })
}

/** At multiples of 256, and where an item is full. */
function cut(from: bigint, leaves: readonly Uint8Array[]): readonly (readonly Uint8Array[])[] {
  const parts: Uint8Array[][] = []
  let bytes = 0
  for (const [i, leaf] of leaves.entries()) {
    const size = leaf.length + 2
    const starts = (from + BigInt(i)) % WIDTH === 0n || bytes + size > MAX_VALUE_BYTES
    if (parts.length === 0 || starts) {
      parts.push([])
      bytes = 0
    }
    parts.at(-1)!.push(leaf)
    bytes += size
  }
  return parts
}
