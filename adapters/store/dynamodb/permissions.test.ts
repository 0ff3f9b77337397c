/** The IAM policies beside this file name what is really asked for: nothing is missing, and nothing is given for nothing. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { dynamodb, REGION } from '../../../test/backends/dynamodb.ts'
import { type Call, recording } from '../../../test/backends/dynamodb-calls.ts'
import { moto } from '../../../test/backends/moto.ts'
import { bytes } from '../../../test/conformance/bytes.ts'
import {
  integrated,
  key,
  put,
  sorts,
  versionOf,
  write,
} from '../../../test/conformance/store/subject.ts'
import { systemClock } from '../../clock/system.ts'
import { initTable, openDynamo } from './index.ts'

interface Policy {
  readonly Statement: readonly {
    readonly Action: readonly string[]
    readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
  }[]
}
const policy = (name: string): Policy =>
  JSON.parse(readFileSync(join(import.meta.dirname, name), 'utf8')) as Policy
const actionsOf = ({ Statement }: Policy): string[] =>
  [...new Set(Statement.flatMap(({ Action }) => Action))].sort()

const made = (calls: readonly Call[]): string[] =>
  [...new Set(calls.flatMap(({ actions }) => actions.map((action) => `dynamodb:${action}`)))].sort()

/** Every partition key that a call names. */
function leadingKeys({ input }: Call): string[] {
  return [...JSON.stringify(input).matchAll(/"(?:pk|:pk)":\{"S":"([^"]*)"/g)].map(
    ([, pk = '']) => pk,
  )
}

test('a store and its log need what iam-policy.json gives, below their prefix', async () => {
  const calls: Call[] = []
  const place = { table: 'permissions', region: REGION, ...(await dynamodb()), clock: systemClock }
  await initTable(place)
  const sdk = await recording(place, (call) => calls.push(call))
  const opened = await openDynamo({ ...place, prefix: 'blue', sdk })
  const { log, store } = opened
  const [outcome] = await store.commit([
    { writes: [put('a', '1'), { check: key('b'), if: 'absent' }], leaf: bytes('leaf') },
  ])
  expect(outcome).toEqual({})
  await write(store, { remove: key('a'), if: await versionOf(store, 'a') })
  expect(await sorts(store)).toEqual([])
  await integrated(log)
  const root = new Uint8Array(32)
  await log.publish({ tiles: [], checkpoint: { size: 1n, root, note: bytes('note') } })
  expect(await log.checkpoint()).toEqual(bytes('note'))
  expect(await log.tile(0, 0n)).toBeUndefined()
  await store.close()
  await log.close()

  expect(made(calls)).toEqual(actionsOf(policy('iam-policy.json')))
  const keys = new Set(calls.flatMap(leadingKeys))
  expect([...keys].filter((pk) => !pk.startsWith('blue|'))).toEqual(['|assay'])
  expect(keys.size).toBeGreaterThan(5)
  const conditions = policy('iam-policy.json').Statement.map(({ Condition }) => Condition)
  expect(JSON.stringify(conditions)).toContain('"dynamodb:LeadingKeys":["PREFIX|*"]')
  expect(JSON.stringify(conditions)).toContain('"dynamodb:LeadingKeys":["|assay"]')
})

function isConsistent({ input }: Call): boolean {
  const tables = Object.values(input.RequestItems ?? { only: input }) as readonly Call['input'][]
  return tables.every(({ ConsistentRead }) => ConsistentRead === true)
}

test('every read is a consistent one', async () => {
  const reads: Call[] = []
  const place = { table: 'permissions', region: REGION, ...(await dynamodb()), clock: systemClock }
  await initTable(place)
  const sdk = await recording(place, (call) => {
    if (['GetItem', 'Query', 'BatchGetItem', 'Scan'].includes(call.operation)) reads.push(call)
  })
  const { log, store } = await openDynamo({ ...place, prefix: 'green', sdk })
  await store.get(key('a'))
  await sorts(store)
  await store.commit([{ writes: [], leaf: bytes('leaf') }])
  await integrated(log)
  await log.leaves(0n, 9)
  await store.close()
  await log.close()
  expect(reads.length).toBeGreaterThan(10)
  expect(reads.filter((call) => !isConsistent(call))).toEqual([])
})

test('assay store init needs what iam-policy-init.json gives', async () => {
  const { endpoint } = await moto()
  const place = { table: 'permissions', region: REGION, endpoint, clock: systemClock }
  const calls: Call[] = []
  const sdks = [1, 2].map(() => recording(place, (call) => calls.push(call)))
  const [first, second] = await Promise.all(sdks)
  expect(await initTable({ ...place, pointInTimeRecovery: true, sdk: first! })).toBe(true)
  expect(await initTable({ ...place, deletionProtection: true, sdk: second! })).toBe(false)
  expect(made(calls)).toEqual(actionsOf(policy('iam-policy-init.json')))
})
