/** A secret's whole life: imported, activated, delivered to who may have it, replaced, revoked, and found nowhere in between. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { x25519 } from '@noble/curves/ed25519.js'
import { afterAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import { openValue } from '../../adapters/secrets/hpke/index.ts'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import { fromBase64url, toBase64url } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { Secrets } from '../../core/ports/secrets.ts'
import type { Peer } from '../../core/request.ts'
import type { KeyRecord } from '../../plugins/signer/schema.ts'
import { compiler } from '../rego.ts'
import { deliveringTo, secretFolder, testFolder, withLogKey } from './folder.ts'
import { type Signing, signing } from './kit.ts'

afterAll(() => compiler.close())

const VALUE = 'hunter2-robot-password-0815'
const ROBOT = { name: 'robot', scope: 'secret' } as const
const PULLER: Peer = { kind: 'service', id: 'puller' }
const OTHER: Peer = { kind: 'service', id: 'other' }
const pair = x25519.keygen()
const recipient = toBase64url(pair.publicKey)

let folder: string
let place: Signing
let secrets: Secrets
beforeEach(async () => {
  folder = await testFolder()
  secrets = await secretFolder(folder)
  const custody = await withLogKey(await openFileCustody({ dir: join(folder, 'keys') }))
  place = await signing({
    custody,
    secrets,
    data: await deliveringTo(PULLER, ROBOT.name),
    pair: await openSqlite({ path: join(folder, 'log.db') }),
  })
  onTestFinished(() => place.kernel.close())
})

const ask = (verb: string, more: object = {}, peer?: Peer) =>
  place.ask(`signer.${verb}`, { ...ROBOT, ...more } as Json, peer)
const onRecord = async (): Promise<KeyRecord> => place.key(ROBOT)
const states = async () => (await onRecord()).versions.map(({ state }) => state)
const inCustody = async () => (await secrets.list()).map(({ state }) => state)

/** The next version is there, imported where there is a value. */
async function next(value?: string): Promise<void> {
  if (value !== undefined) await secrets.put(ROBOT.name, Buffer.from(value))
  expect(await ask('create')).toEqual([true, 'creation_begun'])
  await place.settled()
}
async function activated(version: number): Promise<void> {
  expect(await ask('activate', { version })).toEqual([true, 'activation_begun'])
  await expect.poll(async () => (await onRecord()).pending.version).toBe(0)
}

/** What the puller opens, or why it does not get anything. */
async function delivered(more: object = {}): Promise<string | undefined> {
  const asked = { ...ROBOT, recipient, ...more }
  const { allow, id, reasons } = await place.decide('signer.deliver', asked as Json, PULLER)
  if (!allow) return reasons[0]?.code
  // What was replaced rests in custody after a while.
  place.clock.advance(5000)
  await place.settled()
  return fetched(id)
}
async function fetched(delivery: string): Promise<string | undefined> {
  const { allow, output, reasons } = await place.decide(
    'signer.fetch',
    { ...ROBOT, delivery },
    PULLER,
  )
  if (!allow) return reasons[0]?.code
  const { sealed } = output as {
    sealed: { decision: string; name: string; sealed: string; version: number }
  }
  expect(sealed.decision).toBe(delivery)
  const bytes = fromBase64url(sealed.sealed) as Uint8Array
  const value = await openValue(pair.secretKey, sealed, bytes)
  return new TextDecoder().decode(value)
}

test('an imported value is delivered sealed, once, and lies nowhere in the clear', async () => {
  await next(VALUE)
  expect((await onRecord()).versions).toMatchObject([
    { kid: (await secrets.list())[0]?.digest, public_key: '', state: 'pre-active' },
  ])
  expect(await delivered()).toBe('no_active_key')
  await activated(1)
  expect(await inCustody()).toEqual(['active'])
  expect(await delivered()).toBe(VALUE)

  const { id } = await place.decide('signer.deliver', { ...ROBOT, recipient }, PULLER)
  await place.settled()
  expect(await ask('fetch', { delivery: id }, OTHER)).toEqual([false, 'peer_not_permitted'])
  expect(await fetched(id)).toBe(VALUE)
  expect(await fetched(id)).toBe('unknown_delivery')
  expect(await ask('deliver', { recipient }, OTHER)).toEqual([false, 'peer_not_permitted'])
  expect(await ask('deliver', { recipient })).toEqual([false, 'peer_not_permitted'])

  await place.kernel.close()
  const files = await readdir(folder, { recursive: true, withFileTypes: true })
  const contents = await Promise.all(
    files.filter((file) => file.isFile()).map((file) => readFile(join(file.parentPath, file.name))),
  )
  const everything = Buffer.concat(contents)
  // The search would find it: the records and the log are in there.
  expect(everything.includes(id)).toBe(true)
  for (const encoding of ['utf8', 'base64', 'base64url', 'hex'] as const)
    expect(everything.includes(Buffer.from(VALUE).toString(encoding).replace(/=+$/, ''))).toBe(
      false,
    )
  expect(everything.includes(Buffer.from(VALUE, 'utf16le'))).toBe(false)
})

test('it is replaced once its consumers can go on, rolled back and revoked like a key', async () => {
  await next(VALUE)
  await activated(1)
  expect(await ask('register', { peer: PULLER, verifier: 'puller' })).toEqual([true, 'registered'])
  await next('the next password')
  expect(await ask('activate', { version: 2 })).toEqual([false, 'not_acknowledged'])
  expect(await ask('acknowledge', { verifier: 'puller', version: 3 }, PULLER)).toEqual([
    false,
    'unknown_set_version',
  ])
  await ask('acknowledge', { verifier: 'puller', version: 2 }, PULLER)
  await activated(2)
  expect(await states()).toEqual(['grace', 'active'])
  expect(await delivered()).toBe('the next password')
  expect(await delivered({ version: 1 })).toBe(VALUE)

  expect(await ask('rollback', { reason: 'the registry refuses it', version: 1 })).toEqual([
    true,
    'rollback_begun',
  ])
  await expect.poll(states).toEqual(['active', 'grace'])
  expect(await delivered()).toBe(VALUE)

  await next('a third one')
  expect(await ask('revoke', { reason: 'leaked', version: 1 })).toEqual([true, 'revoked'])
  await expect.poll(states).toEqual(['revoked', 'grace', 'active'])
  expect(await delivered({ version: 1 })).toBe('not_deliverable')
  expect(await delivered()).toBe('a third one')
})

test('what was revoked while it was under way is not handed over', async () => {
  await next()
  await activated(1)
  const { id } = await place.decide('signer.deliver', { ...ROBOT, recipient }, PULLER)
  await place.settled()
  await ask('revoke', { reason: 'leaked', version: 1 })
  expect(await fetched(id)).toBe('not_deliverable')
})

test('what nobody fetched in time is removed, and a recipient that is no key gets nothing', async () => {
  await next()
  await activated(1)
  expect(await delivered({ recipient: toBase64url(new Uint8Array(32)) })).toBe('delivery_failed')
  const { id } = await place.decide('signer.deliver', { ...ROBOT, recipient }, PULLER)
  await place.settled()
  const rotation: Peer = { kind: 'kernel', id: 'rotation' }
  expect(await place.ask('signer.expire', {}, rotation)).toEqual([false, 'nothing_expired'])
  place.clock.advance(600_000)
  expect(await fetched(id)).toBe('unknown_delivery')
  expect(await place.ask('signer.expire', {}, rotation)).toEqual([true, 'expired'])
  expect(await place.record('signer', `delivery/${id}`)).toBeUndefined()
})
