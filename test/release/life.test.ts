/** Pins, hand-overs and versions over time, in a kernel. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { toBase64url } from '../../core/base64.ts'
import type { Json } from '../../core/json.ts'
import type { Decision } from '../../core/kernel.ts'
import { keyIdText } from '../../formats/minisign/index.ts'
import { ANYONE, code, type Desk, openDesk, question, type Wanted } from './desk.ts'
import { type ReleaseOptions, released, Signer, TIMESTAMP } from './signer.ts'

const [first, second, third] = ['first', 'second', 'third'].map((name) => new Signer(name)) as [
  Signer,
  Signer,
  Signer,
]
const DAY_MS = 86_400_000

let desk: Desk
beforeEach(async () => {
  desk = await openDesk()
})
afterEach(() => desk.kernel.close())

const verify = async (
  signer: Signer,
  options: ReleaseOptions = {},
  wanted: Wanted = {},
): Promise<string> =>
  code(await desk.decide('release.verify', question(released(signer, options), wanted), ANYONE))
const pin = (signer: Signer): Promise<Decision> =>
  desk.decide('release.pin', { public_key: signer.text })
const handOver = async (by: Signer, to: Uint8Array): Promise<string> => {
  const payload = { public_key_file: toBase64url(to), signature: toBase64url(by.sign(to)) }
  return code(await desk.decide('release.hand-over', payload))
}
async function stored(sort: string): Promise<Json | undefined> {
  const found = await desk.store.get({ partition: 'release', sort })
  return found && JSON.parse(new TextDecoder().decode(found.value))
}
const pinOf = (signer: Signer): Promise<Json | undefined> =>
  stored(`pin/${keyIdText(signer.keyId)}`)

test('what was accepted sets what comes after it', async () => {
  await desk.pin(first.text)
  expect(await verify(first, { version: '1.5.0' })).toBe('ok')
  expect(await verify(first, { version: '1.4.9' })).toBe('version_rollback')
  expect(await verify(first, { version: '1.5.0', timestamp: TIMESTAMP - 1 })).toBe(
    'version_rollback',
  )
  expect(await verify(first, { version: '1.5.0' }), 'the same again').toBe('ok')
  expect(await verify(first, { version: '1.10.0', timestamp: TIMESTAMP - 1 })).toBe('ok')
  expect(await verify(first, { version: '0.1', name: 'tools-0.1.tar.gz' }), 'another family').toBe(
    'ok',
  )
  const id = keyIdText(first.keyId)
  expect(await stored(`version/${id}/grafos-*-x86_64-linux.tar.gz`)).toEqual({
    timestamp: TIMESTAMP - 1,
    version: '1.10.0',
  })
})

test('what was refused sets nothing', async () => {
  await desk.pin(first.text)
  const bad = { ...released(first, { version: '9.0' }), sums: undefined }
  expect(code(await desk.decide('release.verify', question(bad)))).toBe('sums_missing')
  expect(await verify(first)).toBe('ok')
})

test('a successor inherits the versions, and its predecessor ends with its first release', async () => {
  await desk.pin(first.text)
  expect(await verify(first, { version: '2.0' })).toBe('ok')
  expect(await handOver(first, second.file)).toBe('handed_over')
  expect(await verify(first, { version: '2.1' }), 'in grace').toBe('ok')
  expect(await verify(second, { version: '1.9' })).toBe('version_rollback')
  expect(await verify(first, { version: '2.1' }), 'still in grace').toBe('ok')
  expect(await verify(second, { version: '2.2' }, { keys: [first.text] })).toBe('ok')
  expect(await verify(first, { version: '2.3' })).toBe('key_id_mismatch')
  expect(await pinOf(first)).toMatchObject({ state: 'retired' })
  expect(code(await pin(first))).toBe('key_not_active')
  expect(await handOver(second, third.file)).toBe('handed_over')
  expect(await verify(third, { version: '2.4' }, { keys: [first.text] })).toBe('ok')
})

test('a predecessor ends by time', async () => {
  await desk.pin(first.text)
  expect(await handOver(first, second.file)).toBe('handed_over')
  desk.clock.set(desk.clock.now() + 30 * DAY_MS - 1000)
  expect(await verify(first)).toBe('ok')
  desk.clock.set(desk.clock.now() + 1000)
  expect(await verify(first)).toBe('key_id_mismatch')
})

test('a key hands over once, and only while it is in force', async () => {
  await desk.pin(first.text)
  expect(await handOver(first, second.file)).toBe('handed_over')
  expect(await handOver(first, third.file)).toBe('key_not_active')
  expect(await handOver(third, third.file)).toBe('key_id_mismatch')
  expect(await handOver(second, first.file)).toBe('key_not_active')
  expect(await handOver(second, new TextEncoder().encode('no key'))).toBe('malformed_key')
  const weak = new TextEncoder().encode(
    `c\n${Buffer.from(third.text, 'base64').fill(0, 10).toString('base64')}\n`,
  )
  expect(await handOver(second, weak)).toBe('weak_key')
})

test('of two keys that are pinned under one id at once, one is', async () => {
  const spoofed = new Signer('spoofed', first.keyId)
  const codes = (await Promise.all([pin(first), pin(spoofed)])).map(code)
  expect(codes.sort()).toEqual(['key_id_conflict', 'pinned'])
})

test('of two successors at once, one is', async () => {
  await desk.pin(first.text)
  const codes = await Promise.all([handOver(first, second.file), handOver(first, third.file)])
  expect(codes.sort()).toEqual(['handed_over', 'key_not_active'])
})

test('one public key has one id and one scope', async () => {
  await desk.pin(first.text)
  const again = new Signer('first', second.keyId)
  expect(code(await pin(again))).toBe('key_id_conflict')
  const sort = `key/${toBase64url(second.publicKey)}`
  const value = new TextEncoder().encode(JSON.stringify({ scope: 'cell' }))
  await desk.store.commit([
    { writes: [{ put: { partition: 'enrolment', sort }, value, if: 'absent' }] },
  ])
  expect(code(await pin(second))).toBe('key_scope_conflict')
  expect(await handOver(first, second.file)).toBe('key_scope_conflict')
  expect(await stored(`key/${toBase64url(first.publicKey)}`)).toMatchObject({ scope: 'release' })
})

test('what is dropped stays dropped', async () => {
  await desk.pin(first.text)
  expect(code(await desk.decide('release.drop', { public_key: first.text }))).toBe('dropped')
  expect(await verify(first)).toBe('key_id_mismatch')
  expect(code(await pin(first))).toBe('key_not_active')
  expect(code(await desk.decide('release.drop', { public_key: second.text }))).toBe('unknown_key')
})

test('strangers decide about no pin', async () => {
  for (const action of ['release.pin', 'release.drop'])
    expect(code(await desk.decide(action, { public_key: first.text }, ANYONE))).toBe(
      'not_allowed_here',
    )
})

test('a policy may refuse legacy signatures and demand a version', async () => {
  await desk.kernel.close()
  desk = await openDesk({ legacy: false, require: { file: true, version: true } })
  await desk.pin(first.text)
  expect(await verify(first)).toBe('ok')
  expect(await verify(first, { algorithm: 'legacy' })).toBe('unsupported_algorithm')
  expect(await verify(first, { comment: 'version:1.4.2' })).toBe('trusted_comment_file_mismatch')
})

const LONG = 'A'.repeat(300_000)
test.each<[string, object]>([
  ['an unknown member', { extra: 1 }],
  ['a digest that is none', { sha256: 'AB' }],
  ['a digest in upper case', { sha256: 'A'.repeat(64) }],
  ['a size below zero', { size: -1 }],
  ['a name that is too long', { artifact: 'x'.repeat(256) }],
  ['a listing that is too long', { sums: LONG }],
  ['content that is too long', { content: LONG }],
  ['base64 that is not base64url', { sums: 'ab+/' }],
  ['base64url with bits left over', { artifact_signature: 'AB' }],
  ['keys that are none', { keys: [5] }],
  ['too many keys', { keys: Array(17).fill(first.text) }],
  ['a minimum of another form', { minimum: '1.0' }],
])('%s is malformed', async (_, members) => {
  await desk.pin(first.text)
  const payload = { ...question(released(first)), ...members }
  const decision = await desk.decide('release.verify', payload)
  expect([decision.allow, code(decision)]).toEqual([false, 'malformed_request'])
})
