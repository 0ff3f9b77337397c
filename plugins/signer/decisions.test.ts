/** `signer` with its own policies, a real kernel and keys in files: what happens to keys, and what verifiers are told of it. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { ed25519Key, fromBase64url } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { Peer } from '../../core/request.ts'
import { verifyEnvelope } from '../../formats/dsse/index.ts'
import { keyFolder } from '../../test/signer/folder.ts'
import { begin, ROOT, ROTATION, type Signing, signing, TASK } from '../../test/signer/kit.ts'
import { root } from '../../test/source.ts'

const NODE: Peer = { kind: 'node', id: 'node-7' }
const DAY = 86_400

let place: Signing
beforeEach(async () => {
  place = await signing({ custody: await keyFolder() })
  onTestFinished(() => place.kernel.close())
})

const ask = (verb: string, more: object = {}, peer?: Peer) =>
  place.ask(`signer.${verb}`, { ...TASK, ...more } as Json, peer)
const states = async () => (await place.key()).versions.map(({ state }) => state)

async function rotated(): Promise<void> {
  expect(await ask('rotate')).toEqual([true, 'rotation_begun'])
  await place.settled()
}

describe('a key', () => {
  test('is made by custody, and signs once it is active in custody and on record', async () => {
    await begin(place)
    expect(await states()).toEqual(['active'])
    expect(await place.states()).toEqual(['active'])
    const { envelope, set } = await place.set()
    expect(set).toMatchObject({ scope: 'node-task-signing', version: 1 })
    expect(set.keys).toMatchObject([{ state: 'active' }])
    const signer = (await place.key(ROOT)).versions[0]
    const key = ed25519Key(fromBase64url(signer?.public_key ?? '') as Uint8Array)
    expect(verifyEnvelope(envelope, [{ key, kid: signer?.kid ?? '' }])).toMatchObject([
      { check: 'valid' },
    ])
  })

  test('is rotated: published, acknowledged, activated, and the one before it ends', async () => {
    await begin(place)
    expect(await ask('register', { peer: NODE, verifier: 'node-7' })).toEqual([true, 'registered'])
    await rotated()
    expect((await place.set()).set.keys).toMatchObject([
      { state: 'active' },
      { state: 'pre-active' },
    ])
    expect(await ask('activate', { version: 2 })).toEqual([false, 'not_acknowledged'])
    expect(await ask('acknowledge', { verifier: 'node-7', version: 2 }, NODE)).toEqual([
      true,
      'acknowledged',
    ])
    expect(await ask('activate', { version: 2 })).toEqual([true, 'activation_begun'])
    await expect.poll(states).toEqual(['grace', 'active'])
    expect(await place.states()).toEqual(['active', 'active'])
    place.clock.advance(5000)
    await place.settled()
    expect(await place.states()).toEqual(['grace', 'active'])
    const now = place.clock.now() / 1000
    expect((await place.set()).set).toMatchObject({
      version: 3,
      keys: [{ state: 'grace', grace_until: now - 5 + DAY }, { state: 'active' }],
    })
    expect(await ask('retire', { version: 1 })).toEqual([false, 'grace_not_over'])
    place.clock.advance(DAY * 1000)
    expect(await ask('retire', { version: 1 }, ROTATION)).toEqual([true, 'retired'])
    await place.settled()
    expect(await place.states()).toEqual(['retired', 'active'])
  })

  test('that is revoked has a successor in the same breath', async () => {
    await begin(place)
    expect(await ask('revoke', { reason: 'stolen', version: 1 })).toEqual([true, 'revoked'])
    expect(await states()).toEqual(['revoked'])
    await place.settled()
    expect(await states()).toEqual(['revoked', 'active'])
    expect(await place.states()).toEqual(['revoked', 'active'])
    expect((await place.set()).set).toMatchObject({
      emergency: true,
      keys: [{ reason: 'stolen', state: 'revoked' }, { state: 'active' }],
      version: 2,
    })
    expect(await ask('rollback', { reason: 'no', version: 1 })).toEqual([
      false,
      'invalid_transition',
    ])
  })

  test('is rolled back to in a higher version of the set', async () => {
    await begin(place)
    await rotated()
    await ask('activate', { version: 2 })
    await expect.poll(states).toEqual(['grace', 'active'])
    place.clock.advance(5000)
    await place.settled()
    expect(await ask('rollback', { reason: 'v2 misbehaves', version: 1 })).toEqual([
      true,
      'rollback_begun',
    ])
    await expect.poll(states).toEqual(['active', 'grace'])
    place.clock.advance(5000)
    await place.settled()
    expect(await place.states()).toEqual(['active', 'grace'])
    expect((await place.set()).set).toMatchObject({ rollback_of: 3, version: 4 })
  })
})

test('what takes two people takes two, who say the same', async () => {
  const file = join(root, 'policies/signer/data.json')
  const data = JSON.parse(await readFile(file, 'utf8')) as { readonly [member: string]: Json }
  const approvals = { 'signer.revoke': 2 }
  const strict = await signing({
    custody: await keyFolder(),
    data: { signer: { ...data, approvals } },
  })
  onTestFinished(() => strict.kernel.close())
  await begin(strict)
  const [ann, bob] = ['ann', 'bob'].map((id) => ({ id, kind: 'operator' }))
  const revoke = (reason: string, peer?: Peer) =>
    strict.ask('signer.revoke', { ...TASK, reason, version: 1 }, peer)
  const recorded = [true, 'approval_recorded']
  expect(await revoke('stolen', ann)).toEqual(recorded)
  expect(await revoke('stolen', ann)).toEqual(recorded)
  expect(await revoke('lost', bob)).toEqual(recorded)
  expect((await strict.key()).versions[0]?.state).toBe('active')
  expect(await revoke('stolen', bob)).toEqual([true, 'revoked'])
  expect((await strict.key()).versions[0]).toMatchObject({ reason: 'stolen', state: 'revoked' })
})

test('a key in a payload that is not what an action expects is looked up nowhere', async () => {
  const malformed = [false, 'malformed_request']
  expect(await ask('activate', { state: 'active', version: 1 })).toEqual(malformed)
  expect(await ask('revoke', { reason: ' ', version: 1 })).toEqual(malformed)
  expect(await ask('register', { verifier: '../x' })).toEqual(malformed)
  expect(await place.ask('signer.create', { name: 'a/b', scope: 'task' })).toEqual(malformed)
})
