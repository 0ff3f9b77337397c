/** Eight writers of one table, killed and frozen at random; `npm run soak -- writers` is the same for longer. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { dynamodb, REGION } from '../backends/dynamodb.ts'
import { manyWriters } from './writers.ts'

const SECONDS = Number(process.env.WRITERS_SECONDS ?? 60)

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-writers-'))
})
afterAll(() => rm(folder, { recursive: true }))

test(`eight writers that are killed and frozen for ${SECONDS} seconds leave one log with every decision once`, {
  timeout: 180_000 + SECONDS * 3000,
}, async () => {
  const { endpoint } = await dynamodb()
  const place = { endpoint, region: REGION, table: 'writers', prefix: `w${process.pid}` }
  const keys = join(folder, 'keys')
  const report = await manyWriters({
    ...{ keys, place, inFlight: 2, writers: 8 },
    ...{ seconds: SECONDS, seed: Date.now() % 1_000_000 },
  })
  console.log('writers:', JSON.stringify(report))
  expect(report.problems).toEqual([])
  expect(report.acknowledged).toBeGreaterThan(SECONDS)
  expect(report.sealed).toBeGreaterThan(0)
  expect(report.heads).toBeGreaterThan(SECONDS / 10)
  expect(report.kills).toBeGreaterThan(SECONDS / 10)
})

test('a writer that is frozen while it signs is followed by another, and changes nothing when it wakes up', {
  timeout: 240_000,
}, async () => {
  const { endpoint } = await dynamodb()
  const place = { endpoint, region: REGION, table: 'writers', prefix: `f${process.pid}` }
  const keys = join(folder, 'frozen-keys')
  const report = await manyWriters({
    ...{ keys, place, inFlight: 1, writers: 3, harm: 'signing' },
    ...{ seconds: 10, seed: 1, signMs: 200, sealed: 1 },
  })
  console.log('frozen:', JSON.stringify(report))
  expect(report.problems).toEqual([])
  expect(report.freezes).toBeGreaterThan(0)
  // The lease is three seconds; the rest is a busy machine.
  expect(report.takeOverMs).toBeLessThan(20_000)
})
