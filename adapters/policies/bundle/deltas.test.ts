/** Deltas at work: each applies to exactly the bundle that it names, serves only when it is well, and is there again after a restart. */
import { createHash } from 'node:crypto'
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { KernelError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import {
  contentDigest,
  type Delta,
  type DeltaManifest,
  type Files,
  PATCH,
  readDelta,
  SIGNATURES,
  writeDelta,
} from '../../../formats/bundle/index.ts'
import {
  BundlePlace,
  deltaFiles,
  FROM_DATA,
  type Made,
  policyFiles,
  policyLeaves,
  reasonNow,
  type Served,
  signedBy,
} from '../../../test/bundles.ts'
import { compiler } from '../../../test/rego.ts'
import { pack } from './archive.ts'
import { MAX_DELTAS } from './serving.ts'

const ENTRYPOINT = 'assay/note/decision'
const RECORDED = {
  'a.json': {
    entrypoint: ENTRYPOINT,
    input: { facts: {}, now: 0, request: {} },
    expect: { allow: true },
  },
}
const made = (counter: number, now: Json, more: object = {}): Made => ({
  counter,
  rego: FROM_DATA,
  data: { codes: { now, old: ['a', 'b'] }, more: { x: { y: 1 } } },
  recorded: RECORDED,
  ...more,
})
const FIRST = made(5, 'first')
const SECOND = made(6, 'second')

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

const both = (files: Files): Files => signedBy(files, place.alice, place.bob)
const offer = async (files: Files): Promise<void> => place.source.offer(await pack(both(files)))
const releaseIs = (here: Served, counter: number): Promise<void> =>
  vi.waitFor(() => expect(here.keeper.standing.release?.counter).toBe(counter), { timeout: 20_000 })

async function serving(): Promise<Served> {
  await offer(await policyFiles(FIRST))
  served = await place.open()
  served.keeper.follow()
  return served
}

async function again(): Promise<Served> {
  await served?.stop()
  served = undefined
  served = await place.open()
  return served
}

test('a delta serves as the bundle that it leads to, without an activation', async () => {
  const here = await serving()
  const before = here.kernel.readiness().policy
  const whole = contentDigest(await policyFiles(SECOND))
  await offer(await deltaFiles(FIRST, SECOND))
  await releaseIs(here, 6)
  expect(await reasonNow(here.kernel)).toBe('second')
  expect(here.keeper.standing).toMatchObject({
    release: { counter: 6, content: whole },
    confirmedAt: place.clock.now(),
  })
  const after = here.kernel.readiness().policy
  expect(after?.digest).toBe(before?.digest)
  expect(after?.revision).not.toBe(before?.revision)
  const leaves = await policyLeaves(here.log)
  expect(leaves).toEqual(['kernel/policy_activated', 'kernel/data_updated'])
  // The same release as a whole is the one that serves.
  await offer(await policyFiles(SECOND))
  const { asked } = place.source
  await vi.waitFor(() => expect(place.source.asked).toBeGreaterThan(asked + 2))
  expect(await policyLeaves(here.log)).toEqual(leaves)
  expect(here.events.map(({ kind }) => kind)).toEqual(['active'])
  // And from there a delta goes on.
  await offer(await deltaFiles(SECOND, made(9, 'third')))
  await releaseIs(here, 9)
  expect(await reasonNow(here.kernel)).toBe('third')
})

describe('over restarts', () => {
  async function withTwo(): Promise<Served> {
    const here = await serving()
    await offer(await deltaFiles(FIRST, SECOND))
    await releaseIs(here, 6)
    await offer(await deltaFiles(SECOND, made(7, 'third')))
    await releaseIs(here, 7)
    return here
  }

  test('bundle and deltas serve the same data without the source, and nothing is logged anew', async () => {
    const here = await withTwo()
    const leaves = await policyLeaves(here.log)
    const policy = here.kernel.readiness().policy
    await here.stop()
    served = undefined
    place.source.offer(new Error('the network is down'))
    const later = await again()
    expect(await reasonNow(later.kernel)).toBe('third')
    expect(later.kernel.readiness().policy).toEqual(policy)
    expect(await policyLeaves(later.log)).toEqual(leaves)
    expect(later.keeper.standing.release?.counter).toBe(7)
    later.keeper.follow()
    await offer(await deltaFiles(made(7, 'third'), made(8, 'fourth')))
    await releaseIs(later, 8)
    expect(await reasonNow(later.kernel)).toBe('fourth')
  })

  test('a bundle that comes as a whole takes the place of all of them', async () => {
    const here = await withTwo()
    await offer(await policyFiles(made(8, 'fourth')))
    await releaseIs(here, 8)
    await offer(await policyFiles(made(9, 'fifth')))
    await releaseIs(here, 9)
    const names = async (): Promise<readonly string[]> =>
      (await readdir(place.cacheFolder)).filter((name) => name.endsWith('.gz'))
    await vi.waitFor(async () => expect(await names()).toHaveLength(2))
    expect(await reasonNow((await again()).kernel)).toBe('fifth')
  })

  const damages: readonly (readonly [
    string,
    string | undefined,
    (file: string) => Promise<void>,
  ])[] = [
    ['changed', 'corrupted', (file) => writeFile(file, '<html></html>')],
    [
      'unsigned',
      'unsigned',
      async (file) => writeFile(file, await pack(await deltaFiles(SECOND, made(7, 'mine')))),
    ],
    [
      'another one, well signed',
      'delta_base',
      async (file) => writeFile(file, await pack(both(await deltaFiles(FIRST, SECOND)))),
    ],
    ['away', undefined, (file) => rm(file)],
  ]
  test.each(damages)('a delta on disk that is %s is not believed', async (_, code, damage) => {
    const here = await withTwo()
    const { content = '' } = here.keeper.standing.release ?? {}
    await here.stop()
    served = undefined
    await damage(join(place.cacheFolder, `${content.slice('sha256:'.length)}.delta.tar.gz`))
    place.source.offer(new Error('the network is down'))
    await expect(place.open()).rejects.toThrow('the network is down')
    await offer(await policyFiles(made(7, 'third')))
    const later = await again()
    expect(await reasonNow(later.kernel)).toBe('third')
    const leaves = await policyLeaves(later.log)
    if (code !== undefined) expect(leaves).toContain(`kernel/bundle_${code}`)
    expect(later.keeper.standing.release?.counter).toBe(7)
  })
})

/** With another manifest or other operations than the good one has. */
async function other(
  change: Partial<DeltaManifest>,
  operations?: Delta['operations'],
): Promise<Files> {
  const good = readDelta(await deltaFiles(FIRST, SECOND), { maxBytes: 1_000_000 })
  return writeDelta({
    manifest: { ...good.manifest, ...change },
    operations: operations ?? good.operations,
  })
}
const withFile = async (path: string, text: string): Promise<Files> =>
  new Map([...(await deltaFiles(FIRST, SECOND)), [path, new TextEncoder().encode(text)]])
const digestOf = (text: string): string =>
  `sha256:${createHash('sha256').update(text).digest('hex')}`
const upsert = (value: Json, ...path: string[]): Delta['operations'] => [
  { op: 'upsert', path, value },
]

type Bad = readonly [code: string, what: string, make: () => Promise<Files>]
const bad: readonly Bad[] = [
  ['delta_base', 'for another bundle', async () => both(await other({ base: digestOf('x') }))],
  ['delta_roots', 'of other roots', async () => both(await other({ roots: ['codes', 'more'] }))],
  ['delta_roots', 'outside its roots', async () => both(await other({}, upsert(1, 'elsewhere')))],
  [
    'delta_conflict',
    'in the place of a rule',
    async () => both(await other({}, upsert(1, 'assay', 'note', 'decision'))),
  ],
  [
    'delta_conflict',
    'above a rule',
    async () => both(await other({}, upsert({ note: { decision: 1 } }, 'assay'))),
  ],
  [
    'delta_not_applicable',
    'that removes what is not there',
    async () => both(await other({}, [{ op: 'remove', path: ['codes', 'none'] }])),
  ],
  ['delta_not_data', 'with rules', async () => both(await withFile('x.rego', 'package x'))],
  ['delta_not_data', 'with documents', async () => both(await withFile('data.json', '{}'))],
  ['invalid_patch', 'that is no JSON', async () => both(await withFile(PATCH, '{'))],
  ['invalid_patch', 'of nothing', async () => both(await withFile(PATCH, '{"data":[]}'))],
  [
    'invalid_patch',
    'of the root',
    async () => both(await withFile(PATCH, '{"data":[{"op":"upsert","path":"/","value":{}}]}')),
  ],
  [
    'invalid_patch',
    'with another operation',
    async () => both(await withFile(PATCH, '{"data":[{"op":"test","path":"/codes","value":1}]}')),
  ],
  [
    'invalid_manifest',
    'with another manifest',
    async () => badlySigned(await withFile('.manifest', '{}')),
  ],
  ['older_revision', 'to what was passed', async () => both(await other({ counter: 4 }))],
  ['equivocation', 'to another content', async () => both(await other({ counter: 5 }))],
  ['unsigned', 'that nobody signed', () => deltaFiles(FIRST, SECOND)],
  [
    'threshold_not_met',
    'that one of two signed',
    async () => signedBy(await deltaFiles(FIRST, SECOND), place.alice),
  ],
  [
    'signature_invalid',
    'that was changed after it',
    async () => {
      const signatures = both(await deltaFiles(FIRST, SECOND)).get(SIGNATURES)!
      return new Map([...(await deltaFiles(FIRST, made(6, 'mine'))), [SIGNATURES, signatures]])
    },
  ],
  [
    'signature_invalid',
    'with the signatures of the bundle that it leads to',
    async () => {
      const signatures = both(await policyFiles(SECOND)).get(SIGNATURES)!
      return new Map([...(await deltaFiles(FIRST, SECOND)), [SIGNATURES, signatures]])
    },
  ],
  [
    'not_a_verdict',
    'that makes no verdict of an answer',
    async () => both(await other({}, upsert(7, 'codes', 'now'))),
  ],
  [
    'self_test_failed',
    'that denies a recorded request',
    async () => both(await other({}, upsert(false, 'codes', 'allow'))),
  ],
]

/** Nobody signs what has no manifest: the signatures are of another one. */
function badlySigned(files: Files): Files {
  return new Map([...files, [SIGNATURES, new TextEncoder().encode('{"assay":["x"]}')]])
}

test.each(bad)(
  '%s: a delta %s is refused, and what serves goes on',
  async (code, _, make) => {
    const here = await serving()
    const revision = here.kernel.readiness().policy?.revision
    place.source.offer(await pack(await make()))
    await vi.waitFor(() => expect(here.events.at(-1)?.kind).toBe('refused'), { timeout: 20_000 })
    const last = here.events.at(-1)
    const found =
      last?.kind === 'refused' && last.error instanceof KernelError ? last.error.code : ''
    expect(found).toBe(code)
    const leaves = await policyLeaves(here.log)
    expect(leaves).toEqual(['kernel/policy_activated', `kernel/bundle_${code}`])
    const { asked } = place.source
    await vi.waitFor(() => expect(place.source.asked).toBeGreaterThan(asked + 3))
    expect(await policyLeaves(here.log), 'once, however often it is offered').toEqual(leaves)
    expect(await reasonNow(here.kernel)).toBe('first')
    expect(here.kernel.readiness().policy?.revision).toBe(revision)
    await offer(await deltaFiles(FIRST, SECOND))
    await releaseIs(here, 6)
    expect(await reasonNow(here.kernel)).toBe('second')
  },
  60_000,
)

test('where nothing serves a delta is none to begin with', async () => {
  await offer(await deltaFiles(FIRST, SECOND))
  await expect(place.open()).rejects.toMatchObject({ code: 'delta_base' })
  expect(place.source.last?.deltas).toBe(false)
})

test('a source that has a delta which does not fit is asked for the whole bundle at once', async () => {
  const here = await serving()
  await vi.waitFor(() => expect(place.source.last?.deltas).toBe(true), { timeout: 20_000 })
  place.source.delta = await pack(both(await deltaFiles(SECOND, made(7, 'third'))))
  await offer(await policyFiles(made(7, 'third')))
  await releaseIs(here, 7)
  expect(await reasonNow(here.kernel)).toBe('third')
  expect(await policyLeaves(here.log)).toContain('kernel/bundle_delta_base')
  // The delta is the way to what serves now: it is taken as that.
  await vi.waitFor(() => expect(here.events.at(-1)?.kind).toBe('active'), { timeout: 20_000 })
})

test('after so many deltas a whole bundle has to come', async () => {
  const here = await serving()
  let base = contentDigest(await policyFiles(FIRST))
  for (let counter = 6; counter < 6 + MAX_DELTAS; counter++) {
    const result = digestOf(`${counter}`)
    await offer(await other({ base, counter, result }, upsert(`n${counter}`, 'codes', 'now')))
    await releaseIs(here, counter)
    base = result
  }
  expect(await reasonNow(here.kernel)).toBe(`n${5 + MAX_DELTAS}`)
  await vi.waitFor(() => expect(place.source.last?.deltas).toBe(false), { timeout: 20_000 })
  await offer(
    await other({ base, counter: 900, result: digestOf('x') }, upsert('x', 'codes', 'now')),
  )
  await vi.waitFor(() => expect(here.events.at(-1)?.kind).toBe('refused'), { timeout: 20_000 })
  expect((await policyLeaves(here.log)).at(-1)).toBe('kernel/bundle_delta_too_many')
  expect(await reasonNow((await again()).kernel)).toBe(`n${5 + MAX_DELTAS}`)
  served?.keeper.follow()
  await offer(await policyFiles(made(900, 'whole')))
  await releaseIs(served!, 900)
}, 120_000)
