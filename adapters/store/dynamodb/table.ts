/**
 * One table holds the records, the leaves that wait and the log of every realm that uses it, each below its own prefix. Nothing expires by itself:
 * a TTL deletes late, and what may be deleted is for decisions to say.
 */
import type { AttributeValue, CreateTableCommandInput } from '@aws-sdk/client-dynamodb'
import { MAX_KEY_BYTES } from '../../../core/storage.ts'

export const NAME = 'store/dynamodb'

/** Changes when a release could not read what an older one wrote, or the other way round. */
export const LAYOUT = 1

/** What every log below its own prefix is called by: short, and without the `|` that ends it. */
export const PREFIX: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/
const MAX_PREFIX_BYTES = 64

/** An item's address. */
export type ItemKey = { readonly pk: AttributeValue.SMember; readonly sk: AttributeValue.SMember }
export const itemKey = (pk: string, sk: string): ItemKey => ({ pk: { S: pk }, sk: { S: sk } })

/** A record. `ver` is never given twice, so that a removed and re-created record never matches an old version. */
export type RecordItem = ItemKey & {
  readonly v: AttributeValue.BMember
  readonly ver: AttributeValue.SMember
}

/** A leaf that is committed and has no place in the log yet. `at`: when, in milliseconds of the committer's Unix time. */
export type PendingItem = ItemKey & {
  readonly leaf: AttributeValue.BMember
  readonly at: AttributeValue.NMember
}

/** What `assay store init` leaves in the table for those who open it. No prefix is empty, so that it is below none. */
export const LAYOUT_KEY: ItemKey = itemKey('|assay', 'layout')

/** An item has at most 400 KB, its attributes' names and values together. @see https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html */
const MAX_ITEM_BYTES = 400 * 1024
/** `pk`, `sk`, `v` and `ver` with everything that is not the value, at its longest. */
const OVERHEAD_BYTES =
  'pk'.length +
  MAX_PREFIX_BYTES +
  '|r|'.length +
  MAX_KEY_BYTES +
  '|15'.length +
  'sk'.length +
  MAX_KEY_BYTES +
  'v'.length +
  'ver'.length +
  32
export const MAX_VALUE_BYTES: number = MAX_ITEM_BYTES - OVERHEAD_BYTES

/** Items in one transaction. */
export const MAX_ITEMS = 100
/** Bytes of all items in one transaction. */
export const MAX_TRANSACTION_BYTES: number = 4 * 1024 * 1024

/** The table as `assay store init` makes it. */
export function tableDefinition(table: string): CreateTableCommandInput {
  return {
    TableName: table,
    AttributeDefinitions: [
      { AttributeName: 'pk', AttributeType: 'S' },
      { AttributeName: 'sk', AttributeType: 'S' },
    ],
    KeySchema: [
      { AttributeName: 'pk', KeyType: 'HASH' },
      { AttributeName: 'sk', KeyType: 'RANGE' },
    ],
    BillingMode: 'PAY_PER_REQUEST',
  }
}
