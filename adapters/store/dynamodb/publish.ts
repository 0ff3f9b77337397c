/** What is published: full tiles, which never change, and the checkpoint, which only grows. Both in one transaction. */
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { LogError } from '../../../core/error.ts'
import type { Published, Tile } from '../../../core/ports/logstore.ts'
import { checkPublished } from '../../../core/storage.ts'
import type { Client } from './client.ts'
import { type ItemKey, itemKey, MAX_ITEMS } from './table.ts'

const WHO = 'logstore/dynamodb'

const tileKey = (prefix: string, level: number, index: bigint): ItemKey =>
  itemKey(`${prefix}|l|t|${level}|${index}`, 't')
const checkpointKey = (prefix: string): ItemKey => itemKey(`${prefix}|l|checkpoint`, 'checkpoint')

export async function readTile(
  client: Client,
  prefix: string,
  level: number,
  index: bigint,
): Promise<Uint8Array | undefined> {
  const item = await client.get(tileKey(prefix, level, index))
  return item?.h?.B && new Uint8Array(item.h.B)
}

export async function readCheckpoint(
  client: Client,
  prefix: string,
): Promise<Published['checkpoint'] | undefined> {
  const item = await client.get(checkpointKey(prefix))
  if (item?.size?.N === undefined || !item.root?.B || !item.note?.B) return undefined
  const [root, note] = [new Uint8Array(item.root.B), new Uint8Array(item.note.B)]
  return { size: BigInt(item.size.N), root, note }
}

/** @param size leaves with a place. @throws LogError `conflict`, `missing`, `malformed`; StoreError */
export async function publish(
  client: Client,
  prefix: string,
  published: Published,
  size: bigint,
): Promise<void> {
  const { checkpoint, tiles } = published
  checkPublished(WHO, published, size, await readCheckpoint(client, prefix))
  const writes = tiles.map((tile) => tileWrite(client.table, prefix, tile))
  // The checkpoint goes with the last ones: whoever sees it sees all of its tiles.
  const last = MAX_ITEMS - 1
  for (let at = 0; at + last < writes.length; at += last)
    await write(client, writes.slice(at, at + last))
  const rest = writes.slice(Math.floor(Math.max(writes.length - 1, 0) / last) * last)
  await write(client, [...rest, checkpointWrite(client.table, prefix, checkpoint)])
}

async function write(client: Client, items: readonly TransactWriteItem[]): Promise<void> {
  const unmet = await client.transact(items)
  if (unmet === undefined) return
  const name = items[unmet.position]?.Put?.Item?.pk?.S?.split('|').slice(2).join('/')
  throw new LogError(WHO, 'conflict', `${name} was published otherwise`)
}

function tileWrite(
  table: string,
  prefix: string,
  { hashes, index, level }: Tile,
): TransactWriteItem {
  return {
    Put: {
      TableName: table,
      Item: { ...tileKey(prefix, level, index), h: { B: hashes } },
      ConditionExpression: 'attribute_not_exists(pk) OR h = :h',
      ExpressionAttributeValues: { ':h': { B: hashes } },
    },
  }
}

function checkpointWrite(
  table: string,
  prefix: string,
  { note, root, size }: Published['checkpoint'],
): TransactWriteItem {
  const n = { N: size.toString() }
  return {
    Put: {
      TableName: table,
      Item: { ...checkpointKey(prefix), size: n, root: { B: root }, note: { B: note } },
      ConditionExpression:
        'attribute_not_exists(pk) OR #size < :size OR (#size = :size AND #root = :root)',
      ExpressionAttributeNames: { '#size': 'size', '#root': 'root' },
      ExpressionAttributeValues: { ':size': n, ':root': { B: root } },
    },
  }
}
