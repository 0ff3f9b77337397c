/**
 * The disk fails under a real server: in the middle of its load one write or sync does not do what it should. What was acknowledged stays
 * true, nothing is answered without its leaf, a failed sync is never tried again, and the next start recovers.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { send } from '../crash/load.ts'
import { Run, settled } from '../crash/rounds.ts'
import { type Fault, Faults } from './fault.ts'

const CONNECTIONS = 8
/** Longer than the kernel waits between two looks at an idle store. */
const AFTER_MS = 1500

interface Seen {
  readonly ready: { readonly ready: boolean; readonly problems: readonly string[] }
  readonly acknowledged: boolean
}

/** One more request, in the ledger like all others. */
async function look(url: string, { ledger }: Run): Promise<Seen> {
  const op = 1_000_000
  const entry = ledger.intend({ op, action: 'access.put-resource', targets: [`only-${op}`] })
  await send(url, ledger, entry)
  const response = await fetch(`${url}/health/ready`)
  const ready = (await response.json()) as Seen['ready']
  return { ready, acknowledged: entry.acknowledged !== undefined }
}

function faulty(): { run: Run; faults: Faults } {
  const folder = mkdtempSync(join(tmpdir(), 'assay-fault-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const run = new Run({ folder, rounds: 1, seed: 1 })
  return { run, faults: new Faults(folder) }
}

/** Under load, with a fault from its middle on. */
async function hurt(
  run: Run,
  faults: Faults,
  fault: Fault,
  end: NodeJS.Signals = 'SIGKILL',
): Promise<Seen> {
  const server = run.start(faults.env)
  onTestFinished(async () => {
    await server.stop('SIGKILL')
  })
  const url = await server.ready
  run.trustNow()
  const load = run.load(url, CONNECTIONS)
  const acknowledged = (): number =>
    [...run.ledger.entries.values()].filter((entry) => entry.acknowledged).length
  await expect.poll(acknowledged, { timeout: 30_000 }).toBeGreaterThan(CONNECTIONS)
  faults.arm(fault)
  await expect.poll(() => faults.events().length, { timeout: 20_000 }).toBeGreaterThan(0)
  await sleep(AFTER_MS)
  await load.stop()
  const seen = await look(url, run)
  await server.stop(end)
  return seen
}

const DATABASE = 'assay.db'
const stops: Readonly<Record<string, Fault>> = {
  'one sync fails': { operation: 'sync', error: 'EIO', mode: 'once', path: DATABASE },
  'every sync fails': { operation: 'sync', error: 'EIO', mode: 'always', path: DATABASE },
  'a later sync fails': { operation: 'sync', error: 'EIO', skip: 7, mode: 'once', path: DATABASE },
  'the disk is full at a sync': {
    operation: 'sync',
    error: 'ENOSPC',
    mode: 'once',
    path: DATABASE,
  },
}

describe('a sync that fails', () => {
  test.each(Object.entries(stops))(
    '%s: nothing is written any more until the next start',
    {
      timeout: 120_000,
    },
    async (_, fault) => {
      const { faults, run } = faulty()
      const { acknowledged, ready } = await hurt(run, faults, fault)
      expect(acknowledged).toBe(false)
      expect(ready).toMatchObject({ ready: false, problems: ['store_failed'] })
      const later = faults.events().filter(({ what }) => what === 'later')
      expect(later).toEqual([])
      expect(faults.events()).toHaveLength(1)
      const report = await settled(run)
      expect(report.problems).toEqual([])
      expect(report.acknowledged).toBeGreaterThan(CONNECTIONS)
    },
  )
})

test('a sync that failed is not made up for by a clean stop either', {
  timeout: 120_000,
}, async () => {
  const { faults, run } = faulty()
  const fault: Fault = { operation: 'sync', error: 'EIO', mode: 'once', path: DATABASE }
  await hurt(run, faults, fault, 'SIGTERM')
  expect(faults.events()).toHaveLength(1)
  expect((await settled(run)).problems).toEqual([])
})

const writes: Readonly<Record<string, Fault>> = {
  'one write fails': { operation: 'write', error: 'EIO', mode: 'once', path: DATABASE },
  'every write fails': { operation: 'write', error: 'EIO', mode: 'always', path: DATABASE },
  'the disk is full': { operation: 'write', error: 'ENOSPC', mode: 'always', path: DATABASE },
  'the disk was full for a moment': {
    operation: 'write',
    error: 'ENOSPC',
    mode: 'once',
    path: DATABASE,
  },
  'the disk became read-only': {
    operation: 'write',
    error: 'EROFS',
    mode: 'always',
    path: DATABASE,
  },
  'one write is short': { operation: 'write', error: 'short', mode: 'once', path: DATABASE },
  'every write is short': { operation: 'write', error: 'short', mode: 'always', path: DATABASE },
}

describe('a write that fails', () => {
  test.each(Object.entries(writes))(
    '%s: what was acknowledged stays, and the next start recovers',
    {
      timeout: 120_000,
    },
    async (_, fault) => {
      const { faults, run } = faulty()
      const { acknowledged, ready } = await hurt(run, faults, fault)
      const passing = fault.error === 'short'
      if (passing) expect([acknowledged, ready.ready]).toEqual([true, true])
      if (fault.mode === 'always' && !passing) {
        expect(acknowledged).toBe(false)
        expect(ready).toMatchObject({ ready: false, problems: ['store_failed'] })
      }
      const report = await settled(run)
      expect(report.problems).toEqual([])
      expect(report.acknowledged).toBeGreaterThan(CONNECTIONS)
    },
  )
})
