/** Reads at the same time: one request, each caller its own answer. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { dynamodb, REGION } from '../../../test/backends/dynamodb.ts'
import { type Fault, type FaultProxy, faultProxy, type Seen } from '../../../test/backends/proxy.ts'
import { text } from '../../../test/conformance/bytes.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { key, put } from '../../../test/conformance/store/subject.ts'
import { systemClock } from '../../clock/system.ts'
import { Client, openSdk } from './client.ts'
import { initTable } from './init.ts'
import { recordKey } from './keys.ts'
import { DynamoStore } from './store.ts'

const TABLE = 'reads'
const prefix = `reads-${process.pid}`
const RECORDS = 150

let proxy: FaultProxy
let store: DynamoStore
let hasty: DynamoStore
beforeAll(async () => {
  const { endpoint } = await dynamodb()
  await initTable({ table: TABLE, region: REGION, endpoint, clock: systemClock })
  proxy = await faultProxy(endpoint)
  const open = async (timeoutMs: number): Promise<DynamoStore> => {
    const place = { table: TABLE, region: REGION, endpoint: proxy.url, timeoutMs }
    const client = new Client(await openSdk(place), { ...place, clock: systemClock })
    return new DynamoStore({ client, clock: systemClock, prefix, readOnly: false })
  }
  store = await open(15_000)
  hasty = await open(600)
  for (let at = 0; at < RECORDS; at += 50)
    await store.commit([{ writes: names.slice(at, at + 50).map((name) => put(name, name)) }])
})
beforeEach(() => {
  proxy.fault = () => undefined
})
afterAll(async () => {
  await store.close()
  await hasty.close()
  await proxy.close()
})

const names = Array.from({ length: RECORDS }, (_, i) => `record ${i}`)
const read = async (from: DynamoStore, name: string): Promise<string | undefined> =>
  text((await from.get(key(name)))?.value)
const operation = ({ headers }: Seen): string =>
  String(headers['x-amz-target']).replace(/^.*\./, '')

test('what is asked for at the same time goes out together, a hundred at a time', async () => {
  const from = proxy.seen.length
  const asked = [...names, 'none', ...names.slice(0, 3)]
  const found = await Promise.all(asked.map((name) => read(store, name)))
  expect(found).toEqual(asked.map((name) => (name === 'none' ? undefined : name)))
  expect(proxy.seen.slice(from).map(operation)).toEqual(['BatchGetItem', 'BatchGetItem'])
  await read(store, 'record 1')
  expect(proxy.seen.slice(from).map(operation)[2]).toBe('GetItem')
})

test('two callers of one record have bytes of their own', async () => {
  const [a, b] = await Promise.all([1, 2].map(() => store.get(key('record 1'))))
  a?.value.fill(0)
  expect(text(b?.value)).toBe('record 1')
})

test('a read sees a commit that returned while others were read', async () => {
  const reads = names.map((name) => read(store, name))
  await store.commit([{ writes: [put('after', 'written')] }])
  expect(await read(store, 'after')).toBe('written')
  await Promise.all(reads)
})

/** A table at its limit takes none of the keys of a batch. */
const none = (count: number): Fault => {
  const Keys = names.slice(0, count).map((name) => recordKey(prefix, key(name)))
  const UnprocessedKeys = { [TABLE]: { Keys, ConsistentRead: true } }
  const ConsumedCapacity = [{ TableName: TABLE, CapacityUnits: 0 }]
  const body = JSON.stringify({ ConsumedCapacity, Responses: {}, UnprocessedKeys })
  return { answer: { status: 200, body } }
}

test('what the table did not get to is asked for again, and no wait goes beyond the deadline', async () => {
  const some = names.slice(0, 5)
  const once = [none(5)]
  proxy.fault = () => once.shift()
  expect(await Promise.all(some.map((name) => read(store, name)))).toEqual(some)
  proxy.fault = () => none(5)
  const said = await Promise.all(some.map((name) => refusal(hasty.get(key(name)))))
  expect(said).toEqual(some.map(() => 'unavailable'))
})
