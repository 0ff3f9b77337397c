/**
 * Release directories, in the format of the shared fixture `minisign/manifest.json`: `keys` by name, and `cases` that each name a
 * directory, an artifact in it and the pinned key. Each is decided by a kernel of its own, with the policies and the data as they ship.
 */
import { dirname, resolve } from 'node:path'
import type { Json } from '../../../core/json.ts'
import type { Decision } from '../../../core/kernel.ts'
import { compiler } from '../../rego.ts'
import { code, openDesk, question, served } from '../../release/desk.ts'
import { type Case, CaseFileError, type Outcome, readCaseFile } from '../kind.ts'
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
  const { cases, keys } = await readManifest(file)
  try {
    for (const each of cases) yield await judged(each, keys, dirname(file))
  } finally {
    // Its worker would keep the process waiting for more to compile.
    await compiler.close()
  }
}

async function readManifest(file: string): Promise<Manifest> {
  const { cases, keys = {} } = (await readCaseFile(file)) as unknown as Partial<Manifest>
  if (!Array.isArray(cases)) throw new CaseFileError(`${file} is no manifest: it has no cases`)
  return { cases, keys }
}

/** One that cannot be judged has come out as nobody expects, and does not keep the others from being judged. */
async function judged(each: ManifestCase, keys: Manifest['keys'], folder: string): Promise<Case> {
  const { expect, name, reason } = each
  const expected = { verdict: expect, ...(reason === undefined ? {} : { reason }) }
  try {
    return { name, expected, got: await decided(each, keys, folder) }
  } catch (error) {
    return { name: String(name), expected, got: { verdict: 'none', reason: String(error) } }
  }
}

async function decided(
  each: ManifestCase,
  keys: Manifest['keys'],
  folder: string,
): Promise<Outcome> {
  const pinned = [each.pinned_key].flat().map((key) => keys[key] ?? key)
  const desk = await openDesk(legacyOf(each))
  try {
    for (const public_key of pinned) {
      const pin = await desk.decide('release.pin', { public_key })
      if (!pin.allow) return outcome(pin)
    }
    const release = await served(resolve(folder, each.dir), each.artifact)
    if (release === undefined) return { verdict: 'refuse', reason: 'artifact_missing' }
    const wanted = { keys: pinned, minimum: minimumOf(each) }
    return outcome(await desk.decide('release.verify', question(release, wanted)))
  } finally {
    await desk.kernel.close()
  }
}

function outcome(decision: Decision): Outcome {
  return { verdict: decision.allow ? 'accept' : 'refuse', reason: code(decision) }
}
