/**
 * An integration that ends at every one of its writes, before or after it took effect: whoever comes next finishes it, and every leaf has one place.
 * The process that ended wakes up later, and changes nothing.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { systemClock } from '../../adapters/clock/system.ts'
import { Client, openSdk } from '../../adapters/store/dynamodb/client.ts'
import { initTable } from '../../adapters/store/dynamodb/init.ts'
import { pendingPks } from '../../adapters/store/dynamodb/keys.ts'
import { DynamoLog } from '../../adapters/store/dynamodb/log.ts'
import { DynamoStore } from '../../adapters/store/dynamodb/store.ts'
import { leafHash } from '../../core/log/leaf.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import { dynamodb, REGION } from '../backends/dynamodb.ts'
import { type Fault, type FaultProxy, faultProxy } from '../backends/proxy.ts'

const TABLE = 'sequencer'
const LEASE_MS = 300
/** Of the one that ends: as long as it tries to go on. */
const PATIENCE_MS = 800
/** More than one transaction removes from those that wait. */
const LEAVES = 60

let proxy: FaultProxy
let endpoint: string
beforeAll(async () => {
  endpoint = (await dynamodb()).endpoint
  await initTable({ table: TABLE, region: REGION, endpoint, clock: systemClock })
  proxy = await faultProxy(endpoint)
})
afterAll(() => proxy.close())

interface Pair {
  readonly client: Client
  readonly store: Store
  readonly log: LogStore
}
async function open(at: string, prefix: string, timeoutMs = 10_000): Promise<Pair> {
  const place = { table: TABLE, region: REGION, endpoint: at, timeoutMs, clock: systemClock }
  const client = new Client(await openSdk(place), place)
  const pair = { client, clock: systemClock, prefix, readOnly: false }
  return {
    client,
    store: new DynamoStore(pair),
    log: new DynamoLog({ ...pair, leaseMs: LEASE_MS }),
  }
}
async function close({ log, store }: Pair): Promise<void> {
  await log.close()
  await store.close()
}

/** Lets `writes` transactions through; the next one meets `last`, and nothing comes through after it. True as soon as it met it. */
function endAfter(writes: number, last: Fault): () => boolean {
  let seen = 0
  proxy.fault = ({ headers }) => {
    if (seen > writes) return 'lose'
    if (!String(headers['x-amz-target']).endsWith('TransactWriteItems')) return undefined
    return seen++ < writes ? undefined : last
  }
  return () => seen > writes
}

const named = (from: number, to: number): string[] =>
  Array.from({ length: to - from }, (_, i) => `leaf ${from + i}`)

const commit = (store: Store, names: readonly string[]): Promise<unknown> =>
  store.commit(names.map((name) => ({ writes: [], leaf: Buffer.from(name) })))

async function integrated(log: LogStore, size: number): Promise<void> {
  await expect
    .poll(async () => (await log.integrate()).size, { timeout: 20_000, interval: 50 })
    .toBe(BigInt(size))
}

/** Every leaf once, at the place that the index says, and none that waits. */
async function whole(
  { client, log }: Pair,
  prefix: string,
  names: readonly string[],
): Promise<void> {
  const leaves = (await log.leaves(0n, 256)).map((leaf) => Buffer.from(leaf).toString())
  expect([...leaves].sort()).toEqual([...names].sort())
  for (const [i, leaf] of leaves.entries())
    expect(await log.indexOf(leafHash(leaf))).toBe(BigInt(i))
  for (const pk of pendingPks(prefix))
    expect((await client.page({ pk, prefix: '' })).items).toEqual([])
}

/** Whether the integration was over before it could be ended there. */
async function endAt(writes: number, last: Fault): Promise<boolean> {
  const prefix = `${process.pid}-${writes}-${ENDS.indexOf(last)}`
  const [sound, ending] = [await open(endpoint, prefix), await open(proxy.url, prefix, PATIENCE_MS)]
  try {
    await commit(sound.store, named(0, 5))
    await integrated(sound.log, 5)
    const first = await sound.log.leaves(0n, 5)
    // Nobody publishes here, so the lease is let go by closing.
    await sound.log.close()
    const next = await open(endpoint, prefix)
    await commit(next.store, named(5, LEAVES))
    const met = endAfter(writes, last)
    const outcome = await ending.log.integrate().catch((error: Error) => error)
    const ended = outcome instanceof Error
    if (met()) expect(ended).toBe(true)
    await integrated(next.log, LEAVES)
    proxy.fault = () => undefined
    await ending.log.integrate()
    await commit(next.store, named(LEAVES, LEAVES + 5))
    await Promise.all([ending.log.integrate(), next.log.integrate()])
    await integrated(next.log, LEAVES + 5)
    await next.log.integrate()
    await whole(next, prefix, named(0, LEAVES + 5))
    expect(await next.log.leaves(0n, 5)).toEqual(first)
    await close(next)
    return !ended
  } finally {
    proxy.fault = () => undefined
    await close(ending)
    await close(sound)
  }
}

/** The third reaches the table when another has taken over. */
const ENDS: readonly Fault[] = ['lose', 'loseAnswer', { delayMs: 1500 }]
test.each(ENDS)('%o', { timeout: 120_000 }, async (last) => {
  let writes = 0
  while (!(await endAt(writes, last))) writes++
  // The lease, a segment, the head, a place, and the leaves in two parts.
  expect(writes).toBeGreaterThanOrEqual(6)
})
