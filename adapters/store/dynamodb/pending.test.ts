/** Looks at the leaves that wait, where a shard has more of them than one look takes. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { toHex } from '../../../core/crypto.ts'
import { leafHash } from '../../../core/log/leaf.ts'
import type { Batch } from '../../../core/ports/store.ts'
import { dynamodb, REGION } from '../../../test/backends/dynamodb.ts'
import { systemClock } from '../../clock/system.ts'
import { Client, openSdk } from './client.ts'
import { initTable } from './init.ts'
import { pendingKey } from './keys.ts'
import { PendingLeaves } from './pending.ts'
import { DynamoStore } from './store.ts'

const TABLE = 'pending'
const prefix = `p${process.pid}`

let client: Client
let store: DynamoStore
beforeAll(async () => {
  const place = { ...(await dynamodb()), table: TABLE, region: REGION, clock: systemClock }
  await initTable(place)
  client = new Client(await openSdk(place), place)
  store = new DynamoStore({ client, clock: systemClock, prefix, readOnly: false })
})
afterAll(() => store.close())

/** Leaves of one shard. */
function ofOneShard(count: number): Uint8Array[] {
  const leaves: Uint8Array[] = []
  const shard = pendingKey(prefix, '00').pk.S
  for (let i = 0; leaves.length < count; i++) {
    const leaf = Buffer.from(`leaf ${i}`)
    if (pendingKey(prefix, toHex(leafHash(leaf))).pk.S === shard) leaves.push(leaf)
  }
  return leaves
}

test('a look that went on where another one stopped does not say that nothing else waits', async () => {
  const leaves = ofOneShard(70)
  await store.commit(leaves.map((leaf): Batch => ({ writes: [], leaf })))
  const pending = new PendingLeaves(client, prefix)
  const first = await pending.look()
  expect([first.leaves.length, first.more]).toEqual([64, true])
  const rest = await pending.look()
  expect([rest.leaves.length, rest.more]).toEqual([6, true])
  const Key = ({ hash }: { readonly hash: string }) => pendingKey(prefix, hash)
  await client.transact(
    first.leaves.map((leaf) => ({ Delete: { TableName: TABLE, Key: Key(leaf) } })),
  )
  const whole = await pending.look()
  expect([whole.leaves.length, whole.more]).toEqual([6, false])
})
