/** Signed bundles in a whole server: what its own keys and its log have to say about them, and what its operators see. */
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { formatVkey } from '../core/log/note.ts'
import type { Bundle } from '../core/ports/compiler.ts'
import type { Custody } from '../core/ports/custody.ts'
import { Payload } from '../core/request.ts'
import { revisionOf } from '../core/revision.ts'
import { Place } from '../test/composed.ts'
import { compiler } from '../test/rego.ts'
import { type Composed, loadFolder } from './compose.ts'
import { OWN_POLICIES } from './config/complete.ts'
import { openFileCustody } from './custody/file/index.ts'
import { pack } from './policies/bundle/archive.ts'
import { bundleFiles } from './policies/bundle/build.ts'
import { policyVkey, signWithKey } from './policies/bundle/sign.ts'

/** Whatever was allowed is denied. */
const SHUT = `package assay.main

deny contains {"code": "shut", "message": "nothing is allowed", "rule": "assay.main.deny"}
`
const ENTRYPOINTS = ['assay/audit/decision']
let bundles: { readonly open: Bundle; readonly shut: Bundle }
let place: Place
let keys: Custody
beforeAll(async () => {
  const all = Object.entries(await loadFolder(OWN_POLICIES))
  const sources = Object.fromEntries(all.filter(([path]) => /^(?:audit|lib)\/|^main/.test(path)))
  const options = { capabilities: 'trust', entrypoints: ENTRYPOINTS } as const
  const open = await compiler.build(sources, options)
  const shut = await compiler.build({ ...sources, 'shut.rego': SHUT }, options)
  expect(shut.digest).not.toBe(open.digest)
  bundles = { open, shut }
}, 120_000)
beforeEach(async () => {
  place = await Place.make()
  keys = await openFileCustody({ dir: join(place.data, 'keys') })
  await keys.transition(await keys.create('policy', 'ann'), 'active')
})
afterEach(async () => {
  await keys.close()
  await place.remove()
})
afterAll(() => compiler.close())

async function vkey(): Promise<string> {
  return policyVkey((await keys.list('policy'))[0]!)
}

async function offer(counter: number, bundle: Bundle): Promise<void> {
  const files = bundleFiles(bundle, { counter, compiler: compiler.version })
  const signed = await signWithKey(files, keys, (await keys.list('policy'))[0]!)
  await writeFile(join(place.folder, 'made'), await pack(signed))
  await rename(join(place.folder, 'made'), join(place.folder, 'live.tar.gz'))
}

async function start(more: object = {}, rest: object = {}): Promise<Composed> {
  const policies = {
    source: 'bundle',
    from: { path: 'live.tar.gz' },
    roots: [await vkey()],
    pollSeconds: 1,
    staleAfterSeconds: 60,
    ...more,
  }
  const text = JSON.stringify({ policies, plugins: ['audit'], ...rest })
  return place.start(text, { watch: true })
}

const ask = (server: Composed): ReturnType<Composed['kernel']['decide']> =>
  server.kernel.decide({ action: 'audit.query', payload: Payload.fromJson({}) })

describe('a server of signed bundles', () => {
  test('takes a new one, says how sure it is of it, and marks no leaf as development', async () => {
    await offer(1, bundles.open)
    const server = await start()
    const { bundle, degraded } = server.telemetry.operations
    await vi.waitFor(() => expect(bundle()).toMatchObject({ revision: 1, stale: false }))
    await offer(2, bundles.shut)
    await vi.waitFor(() => expect(bundle()).toMatchObject({ revision: 2 }), { timeout: 30_000 })
    expect(server.kernel.readiness().policy?.digest).toBe(bundles.shut.digest)
    const receipt = await (await ask(server)).receipt()
    expect(JSON.parse(receipt.leaf)).not.toHaveProperty('mode')
    await rename(join(place.folder, 'live.tar.gz'), join(place.folder, 'away'))
    await vi.waitFor(() => expect(degraded()).toContain('policy_stale'), { timeout: 30_000 })
    place.clock.advance(61_000)
    expect(degraded()).toContain('policy_unconfirmed')
    await rename(join(place.folder, 'away'), join(place.folder, 'live.tar.gz'))
    await vi.waitFor(() => expect(degraded()).toEqual([]), { timeout: 30_000 })
  }, 90_000)

  test('lets a rule deny what was not confirmed for too long', async () => {
    const data = { freeze: { actions: [], unconfirmed_after_seconds: 60 } }
    const { data: before } = bundles.open
    const bounded = { ...(before as object), ...data }
    await offer(1, { ...bundles.open, data: bounded, revision: revisionOf(bounded) })
    const server = await start()
    const reasons = async (): Promise<readonly string[]> =>
      (await ask(server)).reasons.map(({ code }) => code)
    expect(await reasons()).not.toContain('policy_stale')
    await rename(join(place.folder, 'live.tar.gz'), join(place.folder, 'away'))
    const { degraded } = server.telemetry.operations
    await vi.waitFor(() => expect(degraded()).toContain('policy_stale'), { timeout: 30_000 })
    place.clock.advance(61_000)
    const stale = await ask(server)
    expect(stale).toMatchObject({ allow: false, reasons: [{ code: 'policy_stale' }] })
    const { openings } = await stale.receipt()
    const { policy } = JSON.parse(openings?.request?.json ?? '') as { readonly policy: object }
    expect(policy).toEqual({ confirmed: Math.floor(place.clock.now() / 1000) - 61 })
    await rename(join(place.folder, 'away'), join(place.folder, 'live.tar.gz'))
    await vi.waitFor(async () => expect(await reasons()).not.toContain('policy_stale'), {
      timeout: 30_000,
    })
  }, 90_000)

  test('takes none that decides what its log has otherwise, where it is told to look', async () => {
    await offer(1, bundles.open)
    const first = await start()
    expect((await ask(first)).allow).toBe(true)
    await place.stop()
    const server = await start({ replayLast: 10 })
    await offer(2, bundles.shut)
    const { degraded } = server.telemetry.operations
    await vi.waitFor(() => expect(degraded()).toContain('policy_stale'), { timeout: 30_000 })
    expect(server.kernel.readiness().policy?.digest).toBe(bundles.open.digest)
    expect((await ask(server)).allow).toBe(true)
  }, 90_000)

  test('takes none that a key signed which it revoked', async () => {
    await offer(1, bundles.open)
    await start()
    await place.stop()
    await keys.transition((await keys.list('policy'))[0]!, 'revoked')
    await expect(start()).rejects.toMatchObject({ code: 'revoked_key' })
  }, 60_000)

  test('has no root that is a key of its log', async () => {
    await offer(1, bundles.open)
    await start()
    await place.stop()
    const { publicKey } = (await keys.list('log'))[0]!
    const roots = [formatVkey('policy/log', publicKey)]
    await expect(start({ roots })).rejects.toMatchObject({ code: 'wrong_scope' })
  }, 60_000)

  test('needs an anchor that names roots, and compiles nothing besides', async () => {
    await offer(1, bundles.open)
    await writeFile(join(place.folder, 'none.json'), '{')
    const trust = { roots: undefined, trust: 'none.json' }
    await expect(start(trust)).rejects.toMatchObject({ code: 'malformed' })
    await expect(start({ ...trust, trust: 'x' })).rejects.toMatchObject({ code: 'not_found' })
    const { anchorFile } = await start()
    await place.stop()
    const own = { ...trust, trust: anchorFile }
    await expect(start(own)).rejects.toMatchObject({ code: 'invalid_config' })
    await expect(start({}, { opa: { dir: '.' } })).rejects.toMatchObject({ code: 'invalid_config' })
  }, 60_000)
})
