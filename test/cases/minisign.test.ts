/** Manifests as others may write them, through the runner. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import { layOut } from '../release/desk.ts'
import { released, Signer } from '../release/signer.ts'
import { CaseFileError } from './kind.ts'
import { runCases } from './runner.ts'

const folder = mkdtempSync(join(tmpdir(), 'assay-manifest-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const signer = new Signer('release')
const release = released(signer)
const legacy = released(signer, { algorithm: 'legacy' })
for (const [dir, files] of Object.entries({ release, legacy })) {
  mkdirSync(join(folder, dir))
  layOut(files, join(folder, dir))
}

/** A case of the folder `release`, 1.4.2, with these members. */
const one = (
  name: string,
  reason: string,
  more: { readonly [member: string]: Json } = {},
): Json => ({
  name,
  dir: 'release',
  artifact: release.name,
  pinned_key: 'release',
  expect: reason === 'ok' ? 'accept' : 'refuse',
  reason,
  ...more,
})

async function run(
  cases: Json,
): Promise<{ readonly printed: readonly string[]; readonly failed: number }> {
  const file = join(folder, 'manifest.json')
  const keys = { release: signer.text, other: new Signer('other').text }
  writeFileSync(file, JSON.stringify({ keys, cases }))
  const printed: string[] = []
  const { failed } = await runCases('minisign', file, (line) => printed.push(line))
  return { printed, failed }
}

test('what was there before may be said in several ways', async () => {
  const cases = [
    one('nothing', 'ok'),
    one('without a reason', 'ok', { reason: 'ok' }),
    one('an installed version', 'version_rollback', { installed: '1.5.0' }),
    one('an installed version that is older', 'ok', { installed_version: '1.4.1' }),
    one('a state', 'version_rollback', { state: { version: '1.4.3', timestamp: 5 } }),
    one('a time', 'version_rollback', { minimum_timestamp: 1_800_000_000 }),
    one('a time as text', 'version_rollback', { last_seen: { timestamp: '1800000000' } }),
    one('in the policy', 'version_rollback', { policy: 'the installed version is 1.5.0' }),
    one('in words', 'version_rollback', { description: 'replayed while 1.4.10 is installed' }),
    one('words about something else', 'ok', { description: 'release 1.9.9 of nothing' }),
    one('another key', 'key_id_mismatch', { pinned_key: 'other' }),
    one('two keys', 'ok', { pinned_key: ['other', 'release'] }),
    one('a key that is none', 'malformed_key', { pinned_key: 'nonsense' }),
    one('no artifact', 'artifact_missing', { artifact: 'other' }),
    one('legacy', 'ok', { dir: 'legacy' }),
    one('legacy refused', 'unsupported_algorithm', { dir: 'legacy', legacy: false }),
    one('legacy refused in words', 'unsupported_algorithm', {
      dir: 'legacy',
      policy: 'prehashed only',
    }),
  ]
  expect(await run(cases)).toEqual({ printed: [], failed: 0 })
  expect(await run([one('wrong', 'version_rollback')])).toEqual({
    printed: ['wrong: expected refuse (version_rollback), got accept (ok)'],
    failed: 1,
  })
})

test('a case that cannot be judged stops no other', async () => {
  const broken = { name: 'broken', expect: 'accept', artifact: 'x', pinned_key: 'release' }
  const { failed, printed } = await run([broken, one('right', 'ok')])
  expect(failed).toBe(1)
  expect(printed).toEqual([expect.stringMatching(/^broken: expected accept, got none \(/)])
})

test('a file without cases is not judged', async () => {
  await expect(run({})).rejects.toThrow(CaseFileError)
})
