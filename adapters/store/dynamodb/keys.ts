/**
 * Where each item lies. DynamoDB orders the items of one `pk` by the UTF-8 bytes of their `sk`, which is the Store port's order, and gives each `pk`
 * a bounded rate: what every decision writes is spread over {@link SHARDS} of them.
 */
import { sha256 } from '../../../core/crypto.ts'
import { PARTITION } from '../../../core/decision.ts'
import type { Key } from '../../../core/ports/store.ts'
import { utf8 } from '../../../core/utf8.ts'
import { type ItemKey, itemKey } from './table.ts'

/** Item collections of one that every decision writes to. Part of the layout: another number finds nothing of what is there. */
export const SHARDS = 16

/** Written by every decision, most of them under keys that begin with the time. */
const SPREAD: ReadonlySet<string> = new Set([
  PARTITION.decision,
  PARTITION.idempotency,
  PARTITION.outbox,
])

/** Neither a prefix nor a shard has a `|`: no two partitions share an item collection. */
const recordPk = (prefix: string, partition: string, shard: number): string =>
  `${prefix}|r|${partition}|${shard}`

export function recordKey(prefix: string, { partition, sort }: Key): ItemKey {
  const shard = SPREAD.has(partition) ? sha256(utf8(sort))[0]! % SHARDS : 0
  return itemKey(recordPk(prefix, partition, shard), sort)
}

/** Every item collection in which a partition has records. */
export function recordPks(prefix: string, partition: string): readonly string[] {
  const shards = SPREAD.has(partition) ? SHARDS : 1
  return Array.from({ length: shards }, (_, shard) => recordPk(prefix, partition, shard))
}

const pendingPk = (prefix: string, shard: number): string => `${prefix}|p|${shard}`

/** @param leafHash the leaf's RFC 6962 hash, in lower-case hex */
export function pendingKey(prefix: string, leafHash: string): ItemKey {
  return itemKey(pendingPk(prefix, Number.parseInt(leafHash.slice(0, 2), 16) % SHARDS), leafHash)
}

/** Every item collection in which leaves wait. */
export function pendingPks(prefix: string): readonly string[] {
  return Array.from({ length: SHARDS }, (_, shard) => pendingPk(prefix, shard))
}
