/** Records as items, and a batch as one transaction. */
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { randomBytes, toBase64url, toHex } from '../../../core/crypto.ts'
import { StoreError } from '../../../core/error.ts'
import { leafHash } from '../../../core/log/leaf.ts'
import type { UnixMillis } from '../../../core/ports/clock.ts'
import type { Batch, Stored, Version, Write } from '../../../core/ports/store.ts'
import { keyOf } from '../../../core/storage.ts'
import type { Item } from './client.ts'
import { pendingKey, recordKey } from './keys.ts'
import { MAX_TRANSACTION_BYTES, NAME, type PendingItem, type RecordItem } from './table.ts'

/** Where a batch goes, and when. */
export interface Target {
  readonly table: string
  readonly prefix: string
  readonly now: UnixMillis
}

/** Of no other record, at no other time, of no other process. */
const newVersion = (): Version => toBase64url(randomBytes(16))

/** Holds copies of the item's bytes. @throws StoreError `corrupt`: not ours */
export function recordOf(partition: string, { sk, v, ver }: Item): Stored {
  if (sk?.S === undefined || v?.B === undefined || ver?.S === undefined)
    throw new StoreError(NAME, 'corrupt', 'an item of a record has other attributes than ours')
  return { key: { partition, sort: sk.S }, value: new Uint8Array(v.B), version: ver.S }
}

/** The writes in their order, then the leaf. Holds copies of the caller's bytes. */
export function transactionOf(
  { leaf, writes }: Batch,
  { now, prefix, table }: Target,
): readonly TransactWriteItem[] {
  const items = writes.map((write) => itemOf(write, prefix, table))
  if (leaf === undefined) return items
  const Item: PendingItem = {
    ...pendingKey(prefix, toHex(leafHash(leaf))),
    leaf: { B: new Uint8Array(leaf) },
    at: { N: String(now) },
  }
  return [...items, { Put: { TableName: table, Item, ConditionExpression: NOT_THERE } }]
}

const NOT_THERE = 'attribute_not_exists(pk)'

function itemOf(write: Write, prefix: string, TableName: string): TransactWriteItem {
  const key = recordKey(prefix, keyOf(write))
  const condition =
    write.if === 'absent'
      ? { ConditionExpression: NOT_THERE }
      : {
          ConditionExpression: 'ver = :ver',
          ExpressionAttributeValues: { ':ver': { S: write.if } },
        }
  const where = { TableName, ...condition }
  if ('check' in write) return { ConditionCheck: { ...where, Key: key } }
  if ('remove' in write) return { Delete: { ...where, Key: key } }
  const Item: RecordItem = {
    ...key,
    v: { B: new Uint8Array(write.value) },
    ver: { S: newVersion() },
  }
  return { Put: { ...where, Item } }
}

/** Whether DynamoDB refuses the transaction for its size alone. */
export function isTooLarge({ leaf, writes }: Batch): boolean {
  let bytes = leaf === undefined ? 0 : leaf.length + ITEM_BYTES
  for (const write of writes) bytes += ('put' in write ? write.value.length : 0) + ITEM_BYTES
  return bytes > MAX_TRANSACTION_BYTES
}
/** Of an item beside its value, at the most: its keys, names and version. */
const ITEM_BYTES = 1536
