/** What goes wrong between the store and a real DynamoDB: an outcome is told as it is, in time, and nothing is half done. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { StoreError } from '../../../core/error.ts'
import type { Batch, Outcome } from '../../../core/ports/store.ts'
import { dynamodb, REGION, SECRET } from '../../../test/backends/dynamodb.ts'
import { type Fault, type FaultProxy, faultProxy, type Seen } from '../../../test/backends/proxy.ts'
import { bytes, text } from '../../../test/conformance/bytes.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { key, put, sorts, versionOf, write } from '../../../test/conformance/store/subject.ts'
import { systemClock } from '../../clock/system.ts'
import { Client, openSdk } from './client.ts'
import { initTable } from './init.ts'
import { DynamoStore } from './store.ts'

/** Of a store that is not waited for: where nothing is right until the end. */
const TIMEOUT_MS = 900
const PATIENT_MS = 15_000
const TABLE = 'faults'
/** Beyond the deadline, on a busy machine. */
const SLACK_MS = 2000

let proxy: FaultProxy
let sound: DynamoStore
let store: DynamoStore
let hasty: DynamoStore
let count = 0

async function storeAt(endpoint: string, prefix: string, timeoutMs: number): Promise<DynamoStore> {
  const place = { table: TABLE, region: REGION, endpoint, timeoutMs, clock: systemClock }
  const client = new Client(await openSdk(place), place)
  return new DynamoStore({ client, clock: systemClock, prefix, readOnly: false })
}

beforeAll(async () => {
  const { endpoint } = await dynamodb()
  await initTable({ table: TABLE, region: REGION, endpoint, clock: systemClock })
  proxy = await faultProxy(endpoint)
})
beforeEach(async () => {
  proxy.fault = () => undefined
  const prefix = `faults-${process.pid}-${count++}`
  sound = await storeAt((await dynamodb()).endpoint, prefix, PATIENT_MS)
  store = await storeAt(proxy.url, prefix, PATIENT_MS)
  hasty = await storeAt(proxy.url, prefix, TIMEOUT_MS)
  return async () => {
    await sound.close()
    await store.close()
    await hasty.close()
  }
})
afterAll(() => proxy.close())

/** The faults of the next calls, one each; after them the network is sound. */
function next(...faults: readonly (Fault | undefined)[]): void {
  const left = [...faults]
  proxy.fault = () => left.shift()
}
const always = (fault: Fault | undefined): void => {
  proxy.fault = () => fault
}
/** DynamoDB's answer in an error of this name, as its documentation has it. */
const error = (name: string, more: object = {}, status = 400): Fault => ({
  answer: {
    status,
    body: JSON.stringify({
      __type: `com.amazonaws.dynamodb.v20120810#${name}`,
      message: 'said',
      ...more,
    }),
  },
})
const cancelled = (...codes: readonly string[]): Fault =>
  error('TransactionCanceledException', { CancellationReasons: codes.map((Code) => ({ Code })) })

const tokenOf = ({ body }: Seen): unknown => JSON.parse(String(body)).ClientRequestToken

async function timed<T>(run: () => Promise<T>): Promise<T> {
  const began = performance.now()
  try {
    return await run()
  } finally {
    expect(performance.now() - began).toBeLessThan(TIMEOUT_MS + SLACK_MS)
  }
}

test('an answer that is lost is asked for again with the same token, and counts once', async () => {
  const from = proxy.seen.length
  next('loseAnswer')
  expect(await write(store, put('a', '1'))).toEqual({})
  const tokens = proxy.seen.slice(from).map(tokenOf)
  expect(tokens).toEqual([expect.any(String), tokens[0]])
  expect(text((await sound.get(key('a')))?.value)).toBe('1')
})

test('when no answer comes nobody says that nothing was written', async () => {
  always('loseAnswer')
  expect(await timed(() => refusal(write(hasty, put('a', '1'))))).toBe('unknown_outcome')
  expect(text((await sound.get(key('a')))?.value)).toBe('1')
})

const silent: readonly Fault[] = ['hang', 'lose', { cut: 3 }, { delayMs: 5000 }]
test.each(silent)('%o: neither a hang nor a claim', async (fault) => {
  always(fault)
  expect(await timed(() => refusal(write(hasty, put('a', '1'))))).toBe('unknown_outcome')
  expect(await timed(() => refusal(hasty.get(key('a'))))).toBe('unavailable')
  expect(await timed(() => refusal(sorts(hasty)))).toBe('unavailable')
})

const passing: readonly (readonly [string, Fault])[] = [
  ['a request that is lost', 'lose'],
  ['an answer that is cut', { cut: 3 }],
  ['a service that is out', error('ServiceUnavailable', {}, 503)],
  ['an error of the service', error('InternalServerError', {}, 500)],
  ['a gateway without its service', { answer: { status: 502, body: '<html>' } }],
  ['a table at its limit', error('ProvisionedThroughputExceededException')],
  ['an account at its limit', error('RequestLimitExceeded')],
  ['a partition at its limit', error('ThrottlingException')],
]
test.each(passing)('%s is passed over', async (_, fault) => {
  next(fault)
  expect(await write(store, put('a', '1'))).toEqual({})
  next(fault)
  expect(text((await store.get(key('a')))?.value)).toBe('1')
  next(fault)
  expect(await sorts(store)).toEqual(['a'])
})

const conflicts: readonly (readonly [string, Fault])[] = [
  ['two transactions at one record', cancelled('TransactionConflict', 'None')],
  ['a transaction at a limit', cancelled('None', 'ThrottlingError')],
  ['a throughput that is used up', cancelled('ProvisionedThroughputExceeded', 'None')],
  ['a first attempt that still runs', error('TransactionInProgressException')],
]
test.each(conflicts)('%s: once more', async (_, fault) => {
  next(fault, fault)
  expect(await write(store, put('a', '1'), put('b', '1'))).toEqual({})
  expect(await sorts(sound)).toEqual(['a', 'b'])
})

test('throttled for good is unavailable, and nothing was written', async () => {
  for (const fault of [error('ThrottlingException'), cancelled('TransactionConflict')]) {
    always(fault)
    expect(await timed(() => refusal(write(hasty, put('a', '1'))))).toBe('unavailable')
  }
  expect(await sorts(sound)).toEqual([])
})

test('throttled after an attempt that may have come through is not known', async () => {
  let calls = 0
  proxy.fault = () => (calls++ === 0 ? 'loseAnswer' : error('ThrottlingException'))
  expect(await refusal(write(hasty, put('a', '1')))).toBe('unknown_outcome')
})

test('an answer without its members is no absent record', async () => {
  await write(sound, put('a', '1'))
  always({ answer: { status: 200, body: '{}' } })
  expect(await refusal(hasty.get(key('a')))).toBe('unavailable')
  expect(await refusal(sorts(hasty))).toBe('unavailable')
})

test('what is there now may be absent when a late attempt arrives; a version never comes back', async () => {
  await write(sound, put('b', '1'))
  const version = await versionOf(sound, 'b')
  const others: Promise<Outcome>[] = []
  /** The first attempt is lost; before the second one arrives, somebody else writes. */
  const overtaken = async (
    other: () => Promise<Outcome>,
    own: () => Promise<Outcome>,
  ): Promise<unknown> => {
    let calls = 0
    proxy.fault = () => {
      if (calls++ > 0) return { delayMs: 250 }
      others.push(other())
      return 'lose'
    }
    return await own()
  }
  const absent = overtaken(
    () => write(sound, put('a', 'theirs')),
    () => write(store, put('a', 'ours')),
  )
  expect(await refusal(absent)).toBe('unknown_outcome')
  const known = await overtaken(
    () => write(sound, put('b', 'theirs', version)),
    () => write(store, put('b', 'ours', version)),
  )
  expect(known).toEqual({ conflict: key('b') })
  expect(await Promise.all(others)).toEqual([{}, {}])
})

const about = (sort: string): ((seen: Seen) => boolean) => {
  const named = JSON.stringify({ S: sort })
  return ({ body }) => String(body).includes(named)
}

test('what waits for others at the same record ends with its own deadline, in one call or in many', async () => {
  always('lose')
  const batch = (sort: string): Batch => ({
    writes: [{ check: key('hot'), if: 'absent' }, put(sort, '1')],
  })
  const many = Array.from({ length: 20 }, (_, i) => hasty.commit([batch(`own ${i}`)]))
  const batches = Array.from({ length: 20 }, (_, i) => batch(`together ${i}`))
  const said = await timed(() => Promise.all([...many, hasty.commit(batches)].map(refusal)))
  expect(new Set(said)).toEqual(new Set(['unavailable', 'unknown_outcome']))
  always(undefined)
  const all = [...many.keys()].map((i) => store.commit([batch(`later ${i}`)]))
  expect(await Promise.all(all)).toEqual(all.map(() => [{}]))
})

test('of many at one version all but the first know that they lost without asking', async () => {
  await write(sound, put('counter', '0'))
  const version = await versionOf(sound, 'counter')
  const from = proxy.seen.length
  const take = { put: key('counter'), value: bytes('1'), if: version }
  const racers = Array.from({ length: 20 }, () => store.commit([{ writes: [take] }]))
  const outcomes = (await Promise.all(racers)).flat()
  expect(outcomes).toEqual(outcomes.map((_, i) => (i === 0 ? {} : { conflict: key('counter') })))
  expect(proxy.seen.length - from).toBe(1)
  // What is absent can be there, and be absent again: that is asked.
  await write(store, { remove: key('counter'), if: await versionOf(store, 'counter') })
  const absent = [1, 2].map(() => store.commit([{ writes: [put('counter', '2')] }]))
  expect((await Promise.all(absent)).flat()).toEqual([{}, { conflict: key('counter') }])
})

test('in a group each batch has its own outcome', async () => {
  const [isLost, isThrottled] = [about('lost'), about('throttled')]
  proxy.fault = (seen) =>
    isLost(seen) ? 'loseAnswer' : isThrottled(seen) ? error('ThrottlingException') : undefined
  const names = ['first', 'lost', 'throttled', 'last']
  const outcomes = await hasty.commit(
    names.map((name) => ({ writes: [put(name, '1')], leaf: bytes(name) })),
  )
  const told = outcomes.map((outcome) => ('error' in outcome ? outcome.error.code : outcome))
  expect(told).toEqual([{}, 'unknown_outcome', 'unavailable', {}])
  expect(await sorts(sound)).toEqual(['first', 'last', 'lost'])
})

test('a group of which nothing came through is refused as a whole, by the worst of it', async () => {
  const isLost = about('lost')
  proxy.fault = (seen) => (isLost(seen) ? 'loseAnswer' : error('ThrottlingException'))
  const group = ['first', 'lost'].map((name) => ({ writes: [put(name, '1')] }))
  expect(await refusal(hasty.commit(group))).toBe('unknown_outcome')
  const alone = [{ writes: [put('first', '1')] }]
  expect(await refusal(hasty.commit(alone))).toBe('unavailable')
})

const refused: readonly (readonly [string, Fault, string])[] = [
  ['no permission', error('AccessDeniedException'), 'denied'],
  ['an unknown key', error('UnrecognizedClientException'), 'denied'],
  ['a wrong secret', error('InvalidSignatureException'), 'denied'],
  ['an expired session', error('ExpiredTokenException'), 'denied'],
  [
    'a clock that is wrong',
    error('InvalidSignatureException', {
      message: 'Signature expired: 20260101T000000Z is now earlier',
    }),
    'misconfigured',
  ],
  ['a table that is not there', error('ResourceNotFoundException'), 'misconfigured'],
  ['a table with other keys', error('ValidationException'), 'misconfigured'],
]
test.each(refused)('%s is told in one clear error', async (_, fault, code) => {
  always(fault)
  for (const call of [() => hasty.get(key('a')), () => write(hasty, put('a', '1'))]) {
    const thrown = await call().catch((caught: unknown) => caught)
    if (!(thrown instanceof StoreError)) throw thrown
    expect(thrown.code).toBe(code)
    expect(thrown.message).toContain('[store/dynamodb]')
    expect(thrown.message).not.toContain(SECRET)
    expect(thrown.message).not.toMatch(/\n|\bat .*\.ts:/)
  }
})

test('no more than the connections there are, and no wait beyond the deadline', async () => {
  always('hang')
  const many = Array.from({ length: 300 }, (_, i) => refusal(hasty.get(key(`${i}`))))
  expect(new Set(await timed(() => Promise.all(many)))).toEqual(new Set(['unavailable']))
})
