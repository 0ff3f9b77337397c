/** Whether the table is there and ours, before anything of it is believed. */
import type { TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { StoreError } from '../../../core/error.ts'
import type { Client } from './client.ts'
import { named } from './failure.ts'
import { LAYOUT, LAYOUT_KEY, NAME } from './table.ts'

/** What `assay store init` leaves in a table that has none yet. */
export function layoutPut(TableName: string): TransactWriteItem {
  const Item = { ...LAYOUT_KEY, layout: { N: String(LAYOUT) } }
  return { Put: { TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' } }
}

/**
 * @throws StoreError `misconfigured`: no such table, one with other keys, or one that `assay store init` has not seen; `newer_version`: a later
 *   release made it; `denied`, `unavailable`
 */
export async function checkLayout(client: Client): Promise<void> {
  const item = await client.get(LAYOUT_KEY)
  if (item === undefined) {
    const what = `${named(client)} was not prepared; run "assay store init", or name another table`
    throw new StoreError(NAME, 'misconfigured', what)
  }
  const found = Number(item.layout?.N)
  if (found === LAYOUT) return
  const said = item.layout?.N ?? 'none'
  const what = `${named(client)} has layout ${said}, this release has ${LAYOUT}; name another table, or run the release that made it`
  throw new StoreError(NAME, found > LAYOUT ? 'newer_version' : 'misconfigured', what)
}
