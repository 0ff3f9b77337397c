/** The lease, where a pass ended in the middle. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { StoreError } from '../../../core/error.ts'
import { dynamodb, REGION } from '../../../test/backends/dynamodb.ts'
import { systemClock } from '../../clock/system.ts'
import { Client, openSdk } from './client.ts'
import { readHead } from './head.ts'
import { initTable } from './init.ts'
import { Sequencer } from './integrate.ts'
import { Segments } from './segments.ts'
import { DynamoStore } from './store.ts'
import { NAME } from './table.ts'

const prefix = `i${process.pid}`

let client: Client
let store: DynamoStore
beforeAll(async () => {
  const place = { ...(await dynamodb()), table: 'integrate', region: REGION, clock: systemClock }
  await initTable(place)
  client = new Client(await openSdk(place), place)
  store = new DynamoStore({ client, clock: systemClock, prefix, readOnly: false })
})
afterAll(() => store.close())

test('a holder whose pass failed gives the lease up all the same once nothing is left to do', async () => {
  let published: () => bigint = () => 0n
  const segments = new Segments(client, prefix)
  const sealed = async (): Promise<bigint> => published()
  const sequencer = new Sequencer({ client, clock: systemClock, prefix, segments, sealed })
  await store.commit([{ writes: [], leaf: Buffer.from('leaf') }])
  expect(await sequencer.pass()).toMatchObject({ size: 1n, leads: true })
  published = () => {
    throw new StoreError(NAME, 'unavailable', 'for now')
  }
  await expect(sequencer.pass()).rejects.toMatchObject({ code: 'unavailable' })
  expect(await readHead(client, prefix)).not.toMatchObject({ holder: '' })
  published = () => 1n
  expect(await sequencer.pass()).toEqual({ size: 1n, leads: false, pending: 0 })
  expect(await readHead(client, prefix)).toMatchObject({ holder: '' })
})
