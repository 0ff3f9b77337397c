/** Keys in files, removed with the test. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import { openFileSecrets } from '../../adapters/secrets/file/index.ts'
import type { Json } from '../../core/json.ts'
import type { Custody } from '../../core/ports/custody.ts'
import type { Secrets } from '../../core/ports/secrets.ts'
import type { Peer } from '../../core/request.ts'
import { keyFileIn } from '../conformance/custody/file.ts'
import { root } from '../source.ts'

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

/** Secrets in a folder of their own, or below one. */
export async function secretFolder(place?: string): Promise<Secrets> {
  const folder = place ?? (await testFolder())
  return openFileSecrets({ dir: join(folder, 'secrets'), ...keyFileIn(folder) })
}

/** The policy's own data, but for who gets this secret. */
export async function deliveringTo(
  peer: Peer,
  name: string,
): Promise<Readonly<Record<string, Json>>> {
  const text = await readFile(join(root, 'policies/signer/data.json'), 'utf8')
  const data = JSON.parse(text) as { readonly [member: string]: Json }
  return { signer: { ...data, deliver: [{ ...peer, names: [name] }] } }
}
