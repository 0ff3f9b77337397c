/** Whose word kills whose tokens: one stolen key concerns its own scope alone. A kernel of real plugins, and cells that it knows. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import { capability } from '../../plugins/capability/facts.ts'
import { lease } from '../../plugins/lease/facts.ts'
import { signedCall, signingKey } from '../keys.ts'
import { EMBEDDED, messageOf, NOW, openPost, type Post, STRANGER } from '../messages.ts'
import { CELL, chain, pairOf, tokenText } from '../tokens.ts'

const token = chain(0)
const text = tokenText(token)
const cellB = signingKey('cell-b')
const carol = signingKey('carol')
const ACCEPTED = [true, 'token_accepted']
const KILLED = [false, 'token_revoked']

let post: Post
beforeEach(async () => {
  post = await openPost({ plugins: [capability as Plugin, lease as Plugin] })
  await post.decide(
    'enrolment.bind-cell',
    { cell: CELL, public_key: pairOf(CELL).publicKey },
    EMBEDDED,
  )
  await post.learn(messageOf(pairOf(CELL), page({})))
})
afterEach(() => post.kernel.close())

const page = (more: object) => ({
  ...{ type: 'REVOCATIONS', cell: CELL, after: 0, entries: [], more: false, through: 0 },
  ...more,
})
const entry = (kind: string, id: string, more: object = {}): Json => ({
  ...{ at: NOW, id, kind },
  ...(kind === 'lease' || kind === 'token' ? { until: NOW + 300 } : {}),
  ...more,
})
const broadcast = (cell: string, entries: readonly Json[], seq = 1) => ({
  ...{ type: 'REVOKE_BROADCAST', cell, after: 0, entries, seq },
})
const use = (): Promise<readonly (boolean | string)[]> =>
  post.ask(
    'capability.use',
    { at: CELL, operation: { op: 'submit', resource: 'gpu-0' }, token: text },
    STRANGER,
  )
const delegation = (more: object = {}) => ({
  ...{ type: 'DELEGATE', expires: NOW + 100, key: carol.publicKey, not_before: NOW },
  ...{ types: ['REVOKE_BROADCAST', 'REVOCATIONS'], ...more },
})
/** All that a token of {@link CELL} could be revoked by. */
const everything = async (): Promise<readonly Json[]> => {
  const { readToken } = await import('../../formats/cap1/index.ts')
  const read = readToken(text)
  if ('problem' in read) throw new Error(read.problem)
  return [
    entry('token', read.blocks[0]?.handle ?? ''),
    entry('lease', 'lease-1'),
    entry('key', pairOf(CELL).publicKey),
    entry('tenant', 'tenant-1'),
  ]
}

test('a cell revokes what it issued', async () => {
  expect(await use()).toEqual(ACCEPTED)
  for (const [i, one] of (await everything()).entries()) {
    await post.kernel.close()
    post = await openPost({ plugins: [capability as Plugin, lease as Plugin] })
    const payload = { cell: CELL, public_key: pairOf(CELL).publicKey }
    await post.decide('enrolment.bind-cell', payload, EMBEDDED)
    await post.learn(messageOf(pairOf(CELL), page({ entries: [one], through: 1 })))
    expect(await use()).toEqual(i === 1 ? [false, 'lease_revoked'] : KILLED)
  }
})

test('a cell revokes nothing that another one issued, nor the voice of its key', async () => {
  const entries = await everything()
  expect(await post.receive(messageOf(cellB, broadcast('cell-b', entries)))).toEqual([
    true,
    'signed_message',
  ])
  expect(await use()).toEqual(ACCEPTED)
  const later = messageOf(pairOf(CELL), broadcast(CELL, []))
  expect(await post.receive(later)).toEqual([true, 'signed_message'])
})

test('what a cell revoked does not stand in the way of whoever may', async () => {
  const entries = await everything()
  const weak = entries.map((one) => ({ ...(one as object), until: NOW + 5 }))
  await post.receive(messageOf(cellB, broadcast('cell-b', weak)))
  await post.learn(messageOf(pairOf(CELL), page({ entries, through: 4 })))
  post.clock.advance(6000)
  expect(await use()).toEqual(KILLED)
})

test('the controller revokes keys and tenants at every cell', async () => {
  const message = broadcast('cell-b', [entry('tenant', 'tenant-1')])
  expect(await post.receive(messageOf(post.controller, message))).toEqual([true, 'signed_message'])
  expect(await use()).toEqual(KILLED)
})

test('the controller reaches the cells of this kernel too', async () => {
  const message = broadcast('cell-a', [entry('tenant', 'tenant-1')])
  expect(await post.receive(messageOf(post.controller, message))).toEqual([true, 'signed_message'])
  expect(await use()).toEqual(KILLED)
})

test('a delegate of some cells revokes there, one of all cells everywhere', async () => {
  await post.receive(messageOf(post.controller, delegation({ cells: ['cell-b'] })))
  await post.receive(messageOf(carol, broadcast('cell-b', await everything())))
  expect(await use()).toEqual(ACCEPTED)
  await post.receive(messageOf(post.controller, { ...delegation(), seq: 2 }))
  await post.receive(messageOf(carol, broadcast('cell-b', [entry('tenant', 'tenant-1')], 2)))
  expect(await use()).toEqual(KILLED)
})

test('only a cell knows how far its revocations go', async () => {
  await post.receive(messageOf(post.controller, delegation()))
  post.clock.advance(10_000)
  const at = { time: NOW + 10 }
  for (const key of [carol, post.controller]) {
    const told = page({ ...at, after: 0, through: 900 })
    expect(await post.learn(messageOf(key, told))).toEqual([true, 'signed_message'])
    const said = { ...broadcast(CELL, [], 900), ...at }
    expect(await post.receive(messageOf(key, said))).toEqual([true, 'signed_message'])
  }
  expect(await post.record('announce', `feed/${CELL}`)).toMatchObject({ as_of: NOW, sequence: 0 })
  expect(await use()).toEqual([false, 'revocations_stale'])
})

test('a cell whose key may speak for all revokes tenants everywhere, here and there', async () => {
  const [own] = await post.custody.list('cell')
  const key = Buffer.from(own?.publicKey ?? []).toString('base64url')
  const tenant = { cell: 'cell-a', id: 'tenant-1', kind: 'tenant' }
  await post.decide('announce.revoke', tenant)
  expect(await use()).toEqual(ACCEPTED)
  await post.receive(messageOf(post.controller, delegation({ key })))
  expect(await post.ask('announce.revoke', tenant)).toEqual([true, 'peer_allowed'])
  expect(await post.ask('announce.revoke', tenant)).toEqual([
    true,
    'already_revoked',
    'peer_allowed',
  ])
  expect(await use()).toEqual(KILLED)
})

test('a key that is out of use here still tells the others so', async () => {
  const [own] = await post.custody.list('cell')
  const id = Buffer.from(own?.publicKey ?? []).toString('base64url')
  const asked = { cell: 'cell-a', id, kind: 'key' }
  await post.decide('enrolment.transition-key', { public_key: id, state: 'revoked' })
  expect(await post.ask('announce.revoke', { ...asked, kind: 'token' })).toEqual([
    false,
    'signer_not_held',
  ])
  expect(await post.ask('announce.revoke', asked)).toEqual([true, 'peer_allowed'])
})

test('a key that was revoked by a message neither hands over nor calls', async () => {
  const next = signingKey('next')
  const owner = { owner: 'cell-b', scope: 'cell' }
  const revoked = broadcast('control', [entry('key', cellB.publicKey)])
  expect(await post.receive(messageOf(post.controller, revoked))).toEqual([true, 'signed_message'])
  const payload = {
    cell: 'cell-b',
    hand_over: cellB.handsOver(owner, next.publicKey),
    proof: next.binds(owner),
    public_key: next.publicKey,
  }
  expect(await post.ask('enrolment.bind-cell', payload, STRANGER)).toEqual([
    false,
    'peer_not_permitted',
  ])
  const body = { public_key: cellB.publicKey, state: 'grace' }
  const action = 'enrolment.transition-key'
  const call = signedCall(cellB, { action, body, cell: 'cell-b', time: NOW })
  expect(await post.ask(action, call, STRANGER)).toEqual([false, 'caller_key_revoked'])
})

test('a copy of a page makes nothing fresher, nothing grow, and is not for anybody to bring', async () => {
  const entries = (await everything()).slice(0, 2)
  const told = messageOf(pairOf(CELL), page({ entries, through: 4 }))
  const message = Buffer.from(told).toString('base64url')
  expect(await post.ask('announce.learn', { message }, STRANGER)).toEqual([
    false,
    'peer_not_allowed',
  ])
  await post.learn(told)
  const before = await post.record('announce', 'own')
  post.clock.advance(5000)
  expect(await post.learn(told)).toEqual([true, 'signed_message'])
  expect(await post.record('announce', 'own')).toEqual(before)
  expect(await post.record('announce', `feed/${CELL}`)).toMatchObject({ as_of: NOW })
})

test('what a controller delegated ends with the key that signed it', async () => {
  await post.receive(messageOf(post.controller, delegation()))
  expect(await post.receive(messageOf(carol, broadcast('cell-b', [], 1)))).toEqual([
    true,
    'signed_message',
  ])
  const next = signingKey('next controller').publicKey
  const replaces = post.controller.publicKey
  await post.decide('enrolment.pin-controller', { public_key: next, replaces }, EMBEDDED)
  expect(await post.receive(messageOf(carol, broadcast('cell-b', [], 2)))).toEqual([
    false,
    'delegator_revoked',
  ])
})

test("a delegate whose key becomes a tenant's speaks no more", async () => {
  await post.receive(messageOf(post.controller, delegation()))
  const owner = { owner: 'acme', scope: 'tenant' }
  const verification = { by: 'ops', reference: 'ticket 7' }
  const payload = { tenant: 'acme', public_key: carol.publicKey, proof: carol.binds(owner) }
  await post.decide('enrolment.register-tenant', { ...payload, verification })
  expect(await post.receive(messageOf(carol, broadcast('cell-b', [], 1)))).toEqual([
    false,
    'delegate_scope',
  ])
})
