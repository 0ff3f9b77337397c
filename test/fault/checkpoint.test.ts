/** The write-ahead log is written back within commits that succeed: a sync that fails there is the last one too. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import { Faults } from './fault.ts'

test('a sync of the database file that fails ends all writing', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'assay-checkpoint-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'assay.db')
  // So that the first sync of this file is that of the log's way back.
  const { store, log } = await openSqlite({ path })
  await store.close()
  await log.close()
  const faults = new Faults(folder)
  faults.arm({ operation: 'sync', error: 'EIO', mode: 'once', path: 'assay.db$' })
  const child = join(import.meta.dirname, 'checkpoint-child.ts')
  const env = { ...process.env, ...faults.env }
  const codes = JSON.parse(execFileSync(process.execPath, [child, path], { env, encoding: 'utf8' }))
  expect(faults.events()).toEqual([{ what: 'failed', operation: 'sync' }])
  const { written } = codes
  expect(written).toBeGreaterThan(30)
  expect(codes).toEqual({ written, unavailable: 60 - written })
  const after = await openSqlite({ path })
  let rows = 0
  for await (const _row of after.store.list('p', '')) rows++
  // What was acknowledged is in the synced log.
  expect(rows).toBe(written)
  await after.store.close()
  await after.log.close()
})
