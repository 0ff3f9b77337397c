/**
 * The server is killed in the middle of commits: what it acknowledged is there when it is back, and of the rest all of a batch or nothing. DynamoDB
 * Local answers a little before its database has it, as AWS does not: what it acknowledged in its last moments may be gone.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import {
  installDynamoLocal,
  REGION,
  startDynamoLocal,
  useCredentials,
} from '../../../test/backends/dynamodb.ts'
import { type Running, stop } from '../../../test/backends/shared.ts'
import { bytes } from '../../../test/conformance/bytes.ts'
import { all, integrated, put, sorts } from '../../../test/conformance/store/subject.ts'
import { systemClock } from '../../clock/system.ts'
import { initTable, openDynamo } from './index.ts'

const place = mkdtempSync(join(tmpdir(), 'assay-dynamodb-'))
let running: Running | undefined
afterAll(() => {
  if (running !== undefined) stop(running)
  rmSync(place, { recursive: true })
})

const WRITERS = 4
const RUN_MS = 2500
const LAST_MOMENTS_MS = 500

test('acknowledged batches are there after kill -9', { timeout: 120_000 }, async () => {
  useCredentials()
  const lib = await installDynamoLocal()
  const data = join(place, 'data')
  mkdirSync(data)
  const first = await startDynamoLocal(lib, { place, data })
  running = first
  const table = { table: 'crash', region: REGION, endpoint: first.endpoint, clock: systemClock }
  await initTable(table)
  const before = await openDynamo({ ...table, prefix: 'log', timeoutMs: 1000 })

  const tried: string[] = []
  const acknowledged: { readonly name: string; readonly at: number }[] = []
  const began = performance.now()
  async function write(writer: number): Promise<void> {
    for (let i = 0; ; i++) {
      const name = `${writer}-${i}`
      tried.push(name)
      const writes = [put(`a/${name}`, name), put(`b/${name}`, name, 'absent', 'q')]
      const [outcome] = await before.store.commit([{ writes, leaf: bytes(name) }])
      expect(outcome).toEqual({})
      const at = performance.now() - began
      acknowledged.push({ name, at })
      if (at > RUN_MS) stop(first)
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: WRITERS }, (_, i) => write(i)))
  for (const end of ends)
    expect(end).toMatchObject({ reason: { code: expect.stringMatching(/^un/) } })
  await before.store.close()
  await before.log.close()
  const settled = acknowledged.filter(({ at }) => at < RUN_MS - LAST_MOMENTS_MS)
  expect(settled.length).toBeGreaterThan(10)

  const port = Number(new URL(first.endpoint).port)
  running = await startDynamoLocal(lib, { place, data, port })
  const { log, store } = await openDynamo({ ...table, prefix: 'log' })
  const names = (found: readonly string[]): string[] => found.map((sort) => sort.slice(2))
  const there = names(await sorts(store))
  expect(names(await sorts(store, '', undefined, 'q'))).toEqual(there)
  expect(there).toEqual(expect.arrayContaining(settled.map(({ name }) => name)))
  expect(there.filter((name) => !tried.includes(name))).toEqual([])
  await integrated(log)
  expect([...(await all(log))].sort()).toEqual([...there].sort())
  await store.close()
  await log.close()
})
