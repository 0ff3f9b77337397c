/**
 * The log's head: one item that says which leaves have places, and who may give the next ones theirs. Each change of it names the version that it
 * follows, so that of two processes that changed it at the same time one has lost.
 */
import { randomBytes, toHex } from '../../../core/crypto.ts'
import type { Client } from './client.ts'
import { type ItemKey, itemKey } from './table.ts'

/** Leaves one after the other, below the hash of their bytes. */
export interface Segment {
  readonly hash: string
  readonly count: number
}

export interface LogHead {
  /** Never given twice; empty as long as there is no such item. */
  readonly version: string
  /** Leaves with a place. */
  readonly size: bigint
  /** Grows whenever the lease changes hands. */
  readonly epoch: number
  /** Who has the lease; empty: nobody. */
  readonly holder: string
  /** The last leaves: what follows from them (index, places, no leaf that waits any more) may not be written yet. */
  readonly recent: readonly Segment[]
}

const NONE: LogHead = { version: '', size: 0n, epoch: 0, holder: '', recent: [] }

const headKey = (prefix: string): ItemKey => itemKey(`${prefix}|l|head`, 'head')

/** Where the recent leaves begin. */
export function recentFrom({ recent, size }: LogHead): bigint {
  return size - BigInt(recent.reduce((sum, { count }) => sum + count, 0))
}

export async function readHead(client: Client, prefix: string): Promise<LogHead> {
  const item = await client.get(headKey(prefix))
  if (item === undefined) return NONE
  return {
    version: item.ver?.S ?? '',
    size: BigInt(item.size?.N ?? '0'),
    epoch: Number(item.epoch?.N ?? '0'),
    holder: item.holder?.S ?? '',
    recent: JSON.parse(item.recent?.S ?? '[]') as Segment[],
  }
}

/** Undefined: another process changed it first, or may have; read it again. @throws StoreError: read it again */
export async function replaceHead(
  client: Client,
  prefix: string,
  before: LogHead,
  change: Partial<Omit<LogHead, 'version'>>,
): Promise<LogHead | undefined> {
  const after = { ...before, ...change, version: toHex(randomBytes(16)) }
  const condition =
    before.version === ''
      ? { ConditionExpression: 'attribute_not_exists(pk)' }
      : {
          ConditionExpression: 'ver = :before AND epoch = :epoch',
          ExpressionAttributeValues: {
            ':before': { S: before.version },
            ':epoch': { N: String(before.epoch) },
          },
        }
  const Item = {
    ...headKey(prefix),
    ver: { S: after.version },
    size: { N: after.size.toString() },
    epoch: { N: String(after.epoch) },
    holder: { S: after.holder },
    recent: { S: JSON.stringify(after.recent) },
  }
  const unmet = await client.transact([{ Put: { TableName: client.table, Item, ...condition } }])
  return unmet === undefined ? after : undefined
}
