/** Keys in files, removed with the test. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import type { Custody } from '../../core/ports/custody.ts'

export async function testFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'assay-signer-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/** A custody with an active key of the log. */
export async function keyFolder(): Promise<Custody> {
  return withLogKey(await openFileCustody({ dir: join(await testFolder(), 'keys') }))
}

export async function withLogKey(custody: Custody): Promise<Custody> {
  await custody.transition(await custody.create('log', 'log'), 'active')
  return custody
}
