/** What only this store can get wrong: each promise holds, and is broken by the store that breaks it. */
import type { DynamoDB, TransactWriteItem } from '@aws-sdk/client-dynamodb'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { randomBytes, toHex } from '../../../core/crypto.ts'
import { StoreError } from '../../../core/error.ts'
import type { Store } from '../../../core/ports/store.ts'
import { dynamodb } from '../../../test/backends/dynamodb.ts'
import { type Call, recording } from '../../../test/backends/dynamodb-calls.ts'
import { type FaultProxy, faultProxy } from '../../../test/backends/proxy.ts'
import { breaks, type Law, refusal } from '../../../test/conformance/laws.ts'
import { dynamoPlaces } from '../../../test/conformance/store/dynamodb.ts'
import { key, put, sorts, write } from '../../../test/conformance/store/subject.ts'
import { Client, type Page, type PageQuery, type Unmet } from './client.ts'
import { DynamoStore } from './store.ts'

/** How a store is made: the sound one, or with one part that is broken. */
interface Making {
  readonly client: typeof Client
  prepare(sdk: DynamoDB): void
}
const sound: Making = { client: Client, prepare: () => undefined }

let proxy: FaultProxy
const places = dynamoPlaces('mutants')
beforeAll(async () => {
  proxy = await faultProxy((await dynamodb()).endpoint)
})
afterAll(() => proxy.close())

interface Made {
  readonly store: Store
  readonly calls: readonly Call[]
}
async function within(
  making: Making,
  run: (made: Made) => Promise<void>,
  timeoutMs: number,
): Promise<void> {
  const place = { ...(await places(proxy.url)), timeoutMs }
  const calls: Call[] = []
  const sdk = await recording(place, (call) => calls.push(call))
  making.prepare(sdk)
  const client = new making.client(sdk, place)
  const store = new DynamoStore({ ...place, client, readOnly: false })
  try {
    await run({ store, calls })
  } finally {
    proxy.fault = () => undefined
    await store.close()
  }
}
const promise = (
  name: string,
  run: (made: Made) => Promise<void>,
  timeoutMs = 10_000,
): Law<Making> => ({
  name,
  run: (making) => within(making, run, timeoutMs),
})

const TIMEOUT = 'a time-out is not taken for a failure'
const TOKEN = 'a second attempt is no second write'
const CONSISTENT = 'every read is a consistent one'
const PAGES = 'a listing has every page of every item collection'

const laws: readonly Law<Making>[] = [
  promise(
    TIMEOUT,
    async ({ store }) => {
      proxy.fault = () => 'loseAnswer'
      expect(await refusal(write(store, put('a', '1')))).toBe('unknown_outcome')
    },
    600,
  ),
  promise(TOKEN, async ({ store }) => {
    let calls = 0
    proxy.fault = () => (calls++ === 0 ? 'loseAnswer' : undefined)
    expect(await write(store, put('a', '1'))).toEqual({})
  }),
  promise(CONSISTENT, async ({ calls, store }) => {
    await store.get(key('a'))
    await sorts(store)
    expect(calls.map(({ input }) => input.ConsistentRead)).toEqual([true, true])
  }),
  promise(PAGES, async ({ store }) => {
    const names = Array.from({ length: 90 }, (_, i) => `k${i}`)
    await write(store, ...names.map((name) => put(name, '')))
    expect((await sorts(store)).length).toBe(90)
    await write(store, ...names.map((name) => put(name, '', 'absent', '#decision')))
    expect((await sorts(store, '', undefined, '#decision')).length).toBe(90)
  }),
]

class Hasty extends Client {
  override async transact(items: readonly TransactWriteItem[]): Promise<Unmet | undefined> {
    try {
      return await super.transact(items)
    } catch (error) {
      const isUnknown = error instanceof StoreError && error.code === 'unknown_outcome'
      throw isUnknown ? new StoreError('store/mutant', 'unavailable', 'no answer') : error
    }
  }
}
class OnePage extends Client {
  override async page(query: PageQuery): Promise<Page> {
    return { items: (await super.page(query)).items }
  }
}
class OneCollection extends Client {
  override async page(query: PageQuery): Promise<Page> {
    return query.pk.endsWith('|7') ? { items: [] } : await super.page(query)
  }
}

/** Changes what is sent. */
const sending = (change: (input: Record<string, unknown>) => void): Making => ({
  client: Client,
  prepare(sdk) {
    sdk.middlewareStack.add(
      (next) => (args) => {
        change(args.input as unknown as Record<string, unknown>)
        return next(args)
      },
      { step: 'initialize', priority: 'high', name: 'mutant' },
    )
  },
})

const mutants: readonly (readonly [what: string, law: string, making: Making])[] = [
  ['says after a time-out that nothing was written', TIMEOUT, { ...sound, client: Hasty }],
  [
    'makes a new request of each attempt',
    TOKEN,
    sending((input) => {
      if (input.ClientRequestToken) input.ClientRequestToken = toHex(randomBytes(16))
    }),
  ],
  ['reads what may be old', CONSISTENT, sending((input) => delete input.ConsistentRead)],
  ['reads one page', PAGES, { ...sound, client: OnePage }],
  ['forgets an item collection', PAGES, { ...sound, client: OneCollection }],
]

describe('a store in DynamoDB', () => {
  test.each(laws.map((law) => [law.name, law] as const))('%s', (_, law) => law.run(sound))

  test.each(mutants)('that %s is noticed', async (_, name, making) => {
    const law = laws.find((each) => each.name === name)
    if (law === undefined) throw new Error(`there is no law "${name}"`)
    await breaks(law, making)
    const others = laws.filter((each) => each !== law)
    for (const other of others) await other.run(making)
  })
})
