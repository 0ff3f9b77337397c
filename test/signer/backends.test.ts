/** Managed keys whose private halves are in Vault and in KMS: the same decisions, and the backend follows each of them. */
import { afterAll, expect, onTestFinished, test } from 'vitest'
import { openScopedCustody } from '../../adapters/custody/scoped/index.ts'
import { ed25519Key, fromBase64url } from '../../core/crypto.ts'
import type { Custody, KeyScope } from '../../core/ports/custody.ts'
import { verifyEnvelope } from '../../formats/dsse/index.ts'
import { vault } from '../backends/vault.ts'
import { Keys } from '../backends/vault-keys.ts'
import { openKms, useAccount } from '../conformance/custody/kms.ts'
import { compiler } from '../rego.ts'
import { keyFolder } from './folder.ts'
import { begin, ROOT, type Signing, signing, TASK } from './kit.ts'

afterAll(() => compiler.close())
useAccount()

const NODE = { id: 'node-7', kind: 'node' }
const MINUTES = 600_000

/** The log's key in a file, the others in the backend. */
async function placeWith(custody: Custody, scopes: readonly KeyScope[]): Promise<Signing> {
  const scoped = openScopedCustody([
    { custody: await keyFolder(), scopes: ['log'] },
    { custody, scopes },
  ])
  const place = await signing({ custody: scoped })
  onTestFinished(() => place.kernel.close())
  return place
}

const states = async (place: Signing) => (await place.key()).versions.map(({ state }) => state)

test('a rotation of a task key in Vault, and its revocation', { timeout: MINUTES }, async () => {
  const keys = await Keys.in(await vault())
  onTestFinished(() => keys.dispose())
  const place = await placeWith(await keys.open(), ['bootstrap', 'task'])
  const ask = (verb: string, more: object = {}) =>
    place.ask(`signer.${verb}`, { ...TASK, ...more } as never)
  await begin(place)
  await ask('register', { peer: NODE, verifier: 'node-7' })
  await ask('rotate')
  await place.settled()
  expect(await ask('activate', { version: 2 })).toEqual([false, 'not_acknowledged'])
  await place.ask('signer.acknowledge', { ...TASK, verifier: 'node-7', version: 2 }, NODE)
  expect(await ask('activate', { version: 2 })).toEqual([true, 'activation_begun'])
  await expect.poll(() => states(place), { timeout: 20_000 }).toEqual(['grace', 'active'])
  place.clock.advance(5000)
  await place.settled()
  expect(await place.states()).toEqual(['grace', 'active'])

  const { envelope, set } = await place.set()
  expect(set).toMatchObject({ keys: [{ state: 'grace' }, { state: 'active' }], version: 3 })
  const root = (await place.key(ROOT)).versions[0]
  const key = ed25519Key(fromBase64url(root?.public_key ?? '') as Uint8Array)
  const [signature] = verifyEnvelope(envelope, [{ key, kid: root?.kid ?? '' }])
  expect(signature).toMatchObject({ check: 'valid' })

  expect(await ask('revoke', { reason: 'stolen', version: 2 })).toEqual([true, 'revoked'])
  await place.settled()
  expect(await states(place)).toEqual(['grace', 'revoked', 'active'])
  expect(await place.states()).toEqual(['grace', 'revoked', 'active'])
})

test('a rotation of a P-256 key in KMS', { timeout: MINUTES }, async () => {
  const kms = await openKms({ scopes: ['bootstrap'] })
  onTestFinished(() => kms.dispose())
  const place = await placeWith(kms.custody, ['bootstrap'])
  const BUNDLES = { name: 'bundles', scope: 'bootstrap' } as const
  const ask = (verb: string, more: object = {}) =>
    place.ask(`signer.${verb}`, { ...BUNDLES, ...more } as never)
  expect(await ask('create', { algorithm: 'ecdsa-p256' })).toEqual([true, 'creation_begun'])
  await place.settled()
  expect(await ask('activate', { version: 1 })).toEqual([true, 'activation_begun'])
  await place.settled()
  expect(await ask('rotate')).toEqual([true, 'rotation_begun'])
  await place.settled()
  expect(await ask('activate', { version: 2 })).toEqual([false, 'verifiers_unknown'])
  const override = 'the new key is in every image'
  expect(await ask('activate', { override, version: 2 })).toEqual([true, 'overridden'])
  const onRecord = async () => (await place.key(BUNDLES)).versions.map(({ state }) => state)
  await expect.poll(onRecord, { timeout: 20_000 }).toEqual(['grace', 'active'])
  place.clock.advance(5000)
  await place.settled()
  const inKms = async () => (await kms.custody.list('bootstrap')).map(({ state }) => state)
  expect(await inKms()).toEqual(['grace', 'active'])
  expect(await ask('rollback', { reason: 'images lag', version: 1 })).toEqual([
    true,
    'rollback_begun',
  ])
  await expect.poll(onRecord, { timeout: 20_000 }).toEqual(['active', 'grace'])
})
