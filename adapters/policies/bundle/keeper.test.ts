/** Signed bundles at work: whatever is wrong with a new one has its own code, is logged, and leaves the one before it deciding. */
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { KernelError } from '../../../core/error.ts'
import {
  type Files,
  importRoots,
  MANIFEST,
  readManifest,
  writeManifest,
} from '../../../formats/bundle/index.ts'
import {
  archive,
  BundlePlace,
  type Made,
  policyFiles,
  policyLeaves,
  reasonNow,
  type Served,
  signedBy,
  signer,
} from '../../../test/bundles.ts'
import { compiler } from '../../../test/rego.ts'
import { tar, tarball } from '../../../test/tar.ts'
import { DEFAULT_LIMITS, pack } from './archive.ts'

let place: BundlePlace
let served: Served | undefined
beforeEach(async () => {
  place = await BundlePlace.make()
})
afterEach(async () => {
  await served?.stop()
  served = undefined
  await place.remove()
})
afterAll(() => compiler.close())

async function serving(made: Made = { counter: 5, code: 'first' }): Promise<Served> {
  place.source.offer(await archive(made, place.alice, place.bob))
  served = await place.open()
  served.keeper.follow()
  return served
}

/** The code that the log has for what was offered last. */
async function refusal({ events, log }: Served): Promise<string> {
  await vi.waitFor(() => expect(events.at(-1)?.kind).toBe('refused'), { timeout: 20_000 })
  const last = events.at(-1)
  const code = last?.kind === 'refused' && last.error instanceof KernelError ? last.error.code : ''
  expect((await policyLeaves(log)).at(-1)).toBe(`kernel/bundle_${code}`)
  return code
}

const both = (files: Files): Files => signedBy(files, place.alice, place.bob)
const changed = (files: Files, path: string, text: string): Files =>
  new Map([...files, [path, new TextEncoder().encode(text)]])
const later = (made: Made = {}): Promise<Files> => policyFiles({ counter: 6, ...made })
const text = (files: Files, path: string): string => new TextDecoder().decode(files.get(path))

type Bad = readonly [code: string, what: string, make: () => Promise<Uint8Array>]
const bytes: readonly Bad[] = [
  ['corrupted', 'what is no archive', async () => new TextEncoder().encode('<html>')],
  [
    'truncated',
    'an archive that was cut off',
    async () => (await pack(both(await later()))).subarray(0, 900),
  ],
  [
    'corrupted',
    'a flipped bit',
    async () => {
      const packed = await pack(both(await later()))
      packed[packed.length >> 1]! ^= 1
      return packed
    },
  ],
  ['too_large', 'too many bytes', async () => new Uint8Array(DEFAULT_LIMITS.maxBytes + 1)],
  [
    'unpacks_too_large',
    'what unpacks to anything',
    async () => gzipSync(Buffer.alloc(DEFAULT_LIMITS.maxUnpackedBytes + 1)),
  ],
  [
    'unsafe_path',
    'a name that leads out',
    async () => tarball([{ name: '../x.rego', body: 'package x' }]),
  ],
  ['unsafe_path', 'a link', async () => tarball([{ name: 'x.rego', type: '2' }])],
  [
    'duplicate_file',
    'a file twice',
    async () =>
      tarball([
        { name: 'a', body: '1' },
        { name: '/a', body: '2' },
      ]),
  ],
  [
    'invalid_archive',
    'a tar archive that ends early',
    async () => gzipSync(tar([{ name: 'a', body: 'x', size: 9000 }]).subarray(0, 600)),
  ],
]
const contents: readonly Bad[] = [
  [
    'missing_file',
    'an OPA bundle of somebody else',
    async () => tarball([{ name: 'x.rego', body: 'package x' }]),
  ],
  [
    'invalid_manifest',
    'a manifest that is not ours',
    async () => tarball([{ name: '.manifest', body: '{"revision":"9"}' }]),
  ],
  [
    'module_mismatch',
    'another module than the manifest names',
    async () => pack(both(changed(await later(), 'policy.mjs', 'x'))),
  ],
  [
    'module_mismatch',
    'other documents',
    async () => pack(both(changed(await later(), 'data.json', '{"a":1}'))),
  ],
  [
    'not_from_sources',
    'other sources',
    async () => pack(both(changed(await later(), 'note/more.rego', 'package x'))),
  ],
  [
    'invalid_data',
    'documents that are no JSON',
    async () => pack(both(changed(await later(), 'data.json', '{'))),
  ],
]
const signatures: readonly Bad[] = [
  ['unsigned', 'nobody signed', async () => pack(await later())],
  [
    'threshold_not_met',
    'one signature of two',
    async () => pack(signedBy(await later(), place.alice)),
  ],
  [
    'threshold_not_met',
    'one key twice',
    async () => pack(signedBy(await later(), place.alice, place.alice)),
  ],
  [
    'foreign_root',
    'strangers alone',
    async () => pack(signedBy(await later(), signer('mallory'), signer('trudy'))),
  ],
  [
    'threshold_not_met',
    'a stranger beside one root',
    async () => pack(signedBy(await later(), place.alice, signer('bob'))),
  ],
  [
    'signature_invalid',
    'signatures of another bundle',
    async () => {
      const signed = both(await later())
      const other = await later({ code: 'other' })
      return pack(new Map([...other, ['.signatures.json', signed.get('.signatures.json')!]]))
    },
  ],
  [
    'signature_invalid',
    'signatures that are no JSON',
    async () => pack(changed(await later(), '.signatures.json', '{')),
  ],
  [
    'signature_invalid',
    'a revision that was changed after it',
    async () => {
      const files = both(await later())
      const manifest = { ...readManifest(files.get(MANIFEST)), counter: 99 }
      return pack(new Map([...files, [MANIFEST, writeManifest(manifest)]]))
    },
  ],
]
const ALL_ALLOWED = { entrypoint: 'assay/note/decision', input: {}, expect: { allow: true } }
const behaviour: readonly Bad[] = [
  [
    'older_revision',
    'a revision that was passed',
    async () => pack(both(await policyFiles({ counter: 4 }))),
  ],
  [
    'equivocation',
    'another content for a revision',
    async () => pack(both(await policyFiles({ counter: 5, code: 'twin' }))),
  ],
  [
    'capabilities_not_allowed',
    'other built-ins',
    async () => {
      const files = await later()
      const manifest = readManifest(files.get(MANIFEST))
      const capabilities = { ...manifest.capabilities, sha256: '0'.repeat(64) }
      const { policyDigest } = await import('../../../formats/bundle/index.ts')
      const sources = { 'note/note.rego': text(files, 'note/note.rego') }
      const digest = policyDigest({ ...manifest, capabilities, sources })
      return pack(
        both(new Map([...files, [MANIFEST, writeManifest({ ...manifest, capabilities, digest })]])),
      )
    },
  ],
  [
    'missing_entrypoint',
    'an entry point that is not there',
    async () => pack(both(await later({ rego: 'other := 1', entrypoint: 'assay/note/other' }))),
  ],
  [
    'not_a_verdict',
    'an entry point that answers something else',
    async () => pack(both(await later({ rego: 'decision := {"allow": "yes"}' }))),
  ],
  [
    'not_a_verdict',
    'an entry point without an answer to a recorded request',
    async () => {
      const rego = 'decision := 1 if input.never'
      return pack(both(await later({ rego, recorded: { 'a.json': ALL_ALLOWED } })))
    },
  ],
  [
    'self_test_failed',
    'a recorded request that comes out otherwise',
    async () => pack(both(await later({ allow: false, recorded: { 'a.json': ALL_ALLOWED } }))),
  ],
  [
    'self_test_failed',
    'other reasons',
    async () =>
      pack(
        both(
          await later({
            recorded: {
              'a.json': [{ ...ALL_ALLOWED, expect: { allow: true, reasons: ['else'] } }],
            },
          }),
        ),
      ),
  ],
]

describe('refused, and the one before it decides:', () => {
  test.each([...bytes, ...contents, ...signatures, ...behaviour])(
    '%s: %s',
    async (code, _, make) => {
      const here = await serving()
      place.source.offer(await make())
      expect(await refusal(here)).toBe(code)
      expect(await reasonNow(here.kernel)).toBe('first')
      const leaves = await policyLeaves(here.log)
      const { asked } = place.source
      await vi.waitFor(() => expect(place.source.asked).toBeGreaterThan(asked + 3), {
        timeout: 20_000,
      })
      expect(await policyLeaves(here.log), 'once, however often it is offered').toEqual(leaves)
      // What is good is taken after it.
      place.source.offer(await archive({ counter: 7, code: 'next' }, place.bob, place.carol))
      await vi.waitFor(async () => expect(await reasonNow(here.kernel)).toBe('next'), {
        timeout: 20_000,
      })
    },
    60_000,
  )
})

describe('keys', () => {
  const roots = (revoked: readonly string[] = []) =>
    importRoots({
      keys: [place.alice, place.bob, place.carol].map(({ vkey }) => vkey),
      threshold: 2,
      revoked,
    })

  test('that are revoked count no more, for what serves at start neither', async () => {
    await (await serving()).stop()
    served = undefined
    place.source.offer(await archive({ counter: 6 }, place.alice, place.bob))
    const revoked = roots([place.bob.vkey])
    await expect(place.open({ trust: { roots: revoked } })).rejects.toMatchObject({
      code: 'revoked_key',
    })
    place.source.offer(
      await archive({ counter: 6, code: 'again' }, place.alice, place.bob, place.carol),
    )
    served = await place.open({ trust: { roots: revoked } })
    expect(await reasonNow(served.kernel)).toBe('again')
    expect(await policyLeaves(served.log)).toContain('kernel/bundle_revoked_key')
  })

  test('of another scope are no roots', () => {
    const { publicKey, vkey } = place.alice
    const others = [Buffer.from(publicKey).toString('base64')]
    expect(() => importRoots({ keys: [vkey], threshold: 1, others })).toThrow(
      expect.objectContaining({ code: 'wrong_scope' }),
    )
    const renamed = vkey.replace('policy/', 'log/')
    expect(() => importRoots({ keys: [renamed], threshold: 1 })).toThrow(
      expect.objectContaining({ code: 'foreign_root' }),
    )
  })
})

describe('over restarts', () => {
  test('the last good bundle serves without its source, and the age of its last confirmation is known', async () => {
    const here = await serving()
    const at = place.clock.now()
    await vi.waitFor(() => expect(here.keeper.standing.confirmedAt).toBe(at))
    const leaves = await policyLeaves(here.log)
    await here.stop()
    place.source.offer(new Error('the network is down'))
    place.clock.advance(30_000)
    served = await place.open()
    expect(await reasonNow(served.kernel)).toBe('first')
    expect(served.keeper.standing).toMatchObject({
      confirmedAt: at,
      stale: false,
      release: { counter: 5 },
    })
    place.clock.advance(30_001)
    expect(served.keeper.standing.stale).toBe(true)
    expect(await policyLeaves(served.log), 'nothing new was activated').toEqual(leaves)
  })

  test('a revision never goes back, even when what lay on disk is gone', async () => {
    await (await serving()).stop()
    served = undefined
    for (const name of await readdir(place.cacheFolder))
      await writeFile(join(place.cacheFolder, name), '')
    place.source.offer(await archive({ counter: 4 }, place.alice, place.bob))
    await expect(place.open()).rejects.toMatchObject({ code: 'older_revision' })
    place.source.offer(await archive({ counter: 5, code: 'first' }, place.alice, place.bob))
    served = await place.open()
    expect(await reasonNow(served.kernel)).toBe('first')
    expect(await policyLeaves(served.log)).toContain('kernel/bundle_truncated')
  })

  test('what was changed on disk is refused, whoever changed it', async () => {
    await (await serving()).stop()
    served = undefined
    const [name = ''] = (await readdir(place.cacheFolder)).filter((each) => each.endsWith('.gz'))
    const mine = signedBy(await policyFiles({ counter: 5, code: 'mine' }), signer('mallory'))
    await writeFile(join(place.cacheFolder, name), await pack(mine))
    place.source.offer(new Error('the network is down'))
    await expect(place.open()).rejects.toThrow('the network is down')
    expect((await readFile(join(place.cacheFolder, name))).length).toBeGreaterThan(0)
  })

  test('nothing serves where nothing ever served and nothing comes', async () => {
    await expect(place.open()).rejects.toMatchObject({ code: 'unreachable' })
    place.source.offer(await archive({}, place.alice))
    await expect(place.open()).rejects.toMatchObject({ code: 'threshold_not_met' })
  })
})

test('a new signature on the same bundle changes nothing', async () => {
  const here = await serving()
  const leaves = await policyLeaves(here.log)
  place.source.offer(
    await archive({ counter: 5, code: 'first' }, place.alice, place.bob, place.carol),
  )
  const { asked } = place.source
  await vi.waitFor(() => expect(place.source.asked).toBeGreaterThan(asked + 2))
  expect(await policyLeaves(here.log)).toEqual(leaves)
  expect(here.events).toEqual([])
})

test('every decision is made by one bundle as a whole, while others take its place', async () => {
  const here = await serving({ counter: 1, code: 'v1' })
  const seen = new Set<string>()
  let done = false
  const asking = (async () => {
    while (!done) seen.add((await reasonNow(here.kernel)) ?? '')
  })()
  for (let counter = 2; counter <= 4; counter++) {
    place.source.offer(await archive({ counter, code: `v${counter}` }, place.alice, place.carol))
    await vi.waitFor(() => expect(here.keeper.standing.release?.counter).toBe(counter), {
      timeout: 30_000,
    })
  }
  await vi.waitFor(() => expect(seen).toContain('v4'))
  done = true
  await asking
  expect([...seen].sort()).toEqual(['v1', 'v2', 'v3', 'v4'])
  const names = async (): Promise<readonly string[]> =>
    (await readdir(place.cacheFolder)).filter((name) => name.endsWith('.gz'))
  await vi.waitFor(async () => expect(await names()).toHaveLength(2))
}, 60_000)
