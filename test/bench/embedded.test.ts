/** The two sides of the embedded benchmark do what their names say, so that their ratio means something. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import { decodeStored } from '../../core/decision.ts'
import { commitment, decodeLeaf, leafHash } from '../../core/log/leaf.ts'
import type { Openings } from '../../core/log/receipt.ts'
import { measureEmbedded } from './embedded.ts'
import { Floor, type FloorRows, memorySink, sqliteSink } from './floor.ts'
import {
  assertWorkload,
  type Case,
  makeCases,
  openWorld,
  seed,
  submissionOf,
  type World,
} from './world.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
let cases: readonly Case[]
let world: World
beforeAll(async () => {
  cases = (await makeCases(join(folder, 'cases'))).cases
  world = await openWorld(join(folder, 'world'), 'sqlite')
  await seed(world.composed.kernel)
})
afterAll(async () => {
  await world.composed.close()
  rmSync(folder, { recursive: true, force: true })
})

describe('the workload', () => {
  test('makes 3 guarded reads, reports 5 facts and is allowed in about 60% of the cases', () => {
    expect(cases).toHaveLength(2000)
    assertWorkload(cases)
  })

  test('is told from another one', () => {
    const changed = (change: Partial<Case>): Case[] => [
      { ...cases[0]!, ...change },
      ...cases.slice(1),
    ]
    expect(() => assertWorkload(changed({ reads: 4 }))).toThrow()
    expect(() => assertWorkload(changed({ texts: new Map() }))).toThrow()
    expect(() => assertWorkload(cases.map((each) => ({ ...each, allow: true })))).toThrow()
  })
})

describe('the floor', () => {
  /** How long an access may be asked for is counted from each side's own now. */
  const timeless = (text?: string): string | undefined => text?.replace(/"expires_at":\d+/, '')
  const openingsOf = ({ openings }: Pick<FloorRows, 'openings'>): Openings =>
    decodeStored(openings).openings ?? {}

  test('leaves what the kernel leaves: the same leaf, fields and texts for the same request', async () => {
    const floor = new Floor(world.policy, memorySink())
    const some = cases.slice(0, 40)
    const rows = floor.decide(some)
    for (const [i, { evaluation, allow }] of some.entries()) {
      const decision = await world.composed.kernel.decide(submissionOf(evaluation))
      const receipt = await decision.receipt()
      const theirs = decodeLeaf(receipt.leaf)
      const ours = decodeLeaf(new Uint8Array(rows[i]!.leaf))
      if (ours.type !== 'assay.decision/v1' || theirs.type !== 'assay.decision/v1') throw ours
      expect(ours.allow).toBe(allow)
      expect(Object.keys(ours.commitments)).toEqual(Object.keys(theirs.commitments))
      const { id, time, commitments, ...rest } = theirs
      expect(ours).toMatchObject(rest)
      const [mine, kernels] = [openingsOf(rows[i]!), receipt.openings ?? {}]
      for (const field of Object.keys(commitments)) {
        expect(commitment(field, mine[field]!.salt, mine[field]!.json)).toBe(
          ours.commitments[field],
        )
        // The incarnation of a subject is the decision that made it, and differs between the two stores.
        if (field !== 'facts.subject')
          expect(timeless(mine[field]?.json)).toBe(timeless(kernels[field]?.json))
      }
    }
  })

  test('puts every row into a database that the store reads, group by group', async () => {
    const path = join(folder, 'floor.db')
    const sink = await sqliteSink(path)
    const floor = new Floor(world.policy, sink)
    const rows = [...floor.decide(cases.slice(0, 16)), ...floor.decide(cases.slice(16, 17))]
    sink.close()
    const { store, log } = await openSqlite({ path, readOnly: true })
    expect(await log.size()).toBe(17n)
    for (const [i, { id, leaf, openings }] of rows.entries()) {
      expect(await log.indexOf(leafHash(new Uint8Array(leaf)))).toBe(BigInt(i))
      const stored = await store.get({ partition: '#decision', sort: id })
      expect(stored?.value).toEqual(new Uint8Array(openings))
    }
    await log.close()
    await store.close()
  })
})

test('a run counts every side, and verifies one receipt in a hundred', async () => {
  const place = join(folder, 'run')
  const result = await measureEmbedded({
    store: 'memory',
    inFlight: 32,
    rounds: 1,
    seconds: 0.5,
    warmSeconds: 0.2,
    folder: place,
  })
  for (const side of ['durable', 'sealed', 'floor'] as const) {
    expect(result[side].decisions).toBeGreaterThan(0)
    expect(result[side].cpuMicros).toBeGreaterThan(0)
  }
  const { durable, sealed, verified } = result
  const due = Math.floor(durable.decisions / 100) + Math.floor(sealed.decisions / 100)
  expect(verified).toBe(due)
  expect(sealed.p99Ms).toBeGreaterThanOrEqual(sealed.p50Ms ?? Number.NaN)
})
