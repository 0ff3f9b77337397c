/**
 * Release directories, in the format of the shared fixture `minisign/manifest.json`: `keys` by name, and `cases` that each name a
 * directory, an artifact in it and the pinned key. Each is decided by a kernel of its own, with the policies and the data as they ship.
 */
import { dirname, resolve } from 'node:path'
import type { Json } from '../../../core/json.ts'
import { code, openDesk, question, served } from '../../release/desk.ts'
import { type Case, CaseFileError, readCaseFile } from '../kind.ts'
import { legacyOf, minimumOf } from './minisign-circumstances.ts'

interface Manifest {
  readonly keys: Readonly<Record<string, string>>
  readonly cases: readonly ManifestCase[]
}
export interface ManifestCase {
  readonly name: string
  readonly dir: string
  readonly artifact: string
  /** Names from `keys`, or a key itself. */
  readonly pinned_key: string | readonly string[]
  readonly expect: string
  readonly reason?: string
  readonly [more: string]: Json | undefined
}

export async function* run(file: string): AsyncIterable<Case> {
  const manifest = (await readCaseFile(file)) as unknown as Manifest
  if (!Array.isArray(manifest?.cases) || typeof manifest.keys !== 'object')
    throw new CaseFileError(`${file} is no manifest of releases: it has no keys and cases`)
  for (const each of manifest.cases) yield await decide(each, manifest, dirname(file))
}

async function decide(each: ManifestCase, { keys }: Manifest, folder: string): Promise<Case> {
  const { artifact, dir, expect, name, reason } = each
  const pinned = [each.pinned_key].flat().map((key) => keys[key] ?? key)
  const desk = await openDesk(legacyOf(each))
  try {
    await desk.pin(...pinned)
    const release = await served(resolve(folder, dir), artifact)
    const wanted = { keys: pinned, minimum: minimumOf(each) }
    const decision = await desk.decide('release.verify', question(release, wanted))
    const expected = { verdict: expect, ...(reason === undefined ? {} : { reason }) }
    const got = { verdict: decision.allow ? 'accept' : 'refuse', reason: code(decision) }
    return { name, expected, got }
  } finally {
    await desk.kernel.close()
  }
}
