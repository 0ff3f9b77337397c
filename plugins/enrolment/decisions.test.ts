/** `enrolment` with its own policies in a real kernel: who gets a key, and what a tampered request comes to. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { ed25519Key, fromBase64url, toBase64url, verifyEd25519 } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Outbound } from '../../core/ports/outbound.ts'
import type { Peer } from '../../core/request.ts'
import { bindMessage } from '../../formats/call/index.ts'
import { type Real, realKernel, START_MS } from '../../test/kernel/real.ts'
import { flipped, type SigningKey, signedCall, signingKey, WEAK_KEYS } from '../../test/keys.ts'
import { enrolment } from './facts.ts'

const first = signingKey('first')
const second = signingKey('second')
const third = signingKey('third')
const cellA = { owner: 'cell-a', scope: 'cell' }
const acme = { owner: 'acme', scope: 'tenant' }
const EMBEDDED: Peer = { kind: 'embedded', id: 'process' }
const ANYBODY: Peer = { kind: 'anonymous', id: 'anonymous' }
const now = START_MS / 1000

/** Stands for `release`: a pin of its own, under the name that the plugins agree on. */
const pins: Plugin = {
  name: 'release',
  actions: ['release.pin'],
  schema: {},
  reads: ['enrolment'],
  facts: async () => ({}),
}

let told: Json[]
let real: Real
const teller: Outbound = {
  name: 'teller',
  kinds: ['announce.revoke'],
  perform: async ({ body }) => {
    told.push(body)
    return {}
  },
}
beforeEach(async () => {
  told = []
  real = await realKernel([enrolment as Plugin], { outbound: [teller] })
})
afterEach(() => real.kernel.close())

const bind = (more: object = {}): Json => ({
  cell: 'cell-a',
  public_key: first.publicKey,
  proof: first.binds(cellA),
  ...more,
})
const next = (key = second, more: object = {}): Json => ({
  cell: 'cell-a',
  public_key: key.publicKey,
  proof: key.binds(cellA),
  ...more,
})
const cell = async (): Promise<Json | undefined> => real.record('enrolment', 'cell/cell-a')
const bound = (payload: Json, peer?: Peer) => real.ask('enrolment.bind-cell', payload, peer)

describe('a cell', () => {
  test('is bound once its key has signed whose it is', async () => {
    expect(await bound(bind())).toEqual([true, 'enrolled'])
    expect(await cell()).toEqual({
      cell: 'cell-a',
      keys: [{ public_key: first.publicKey, since: now, state: 'active' }],
      local: false,
    })
    expect(await real.record('enrolment', `key/${first.publicKey}`)).toEqual({
      owner: 'cell-a',
      public_key: first.publicKey,
      scope: 'cell',
      state: 'active',
    })
    expect(await bound(bind())).toEqual([true, 'unchanged'])
  })

  test('hands over to its next key, whoever brings it', async () => {
    await bound(bind())
    const handed = next(second, { hand_over: first.handsOver(cellA, second.publicKey) })
    expect(await bound(handed, ANYBODY)).toEqual([true, 'handed_over'])
    expect(await cell()).toMatchObject({
      keys: [
        { public_key: first.publicKey, state: 'grace' },
        { public_key: second.publicKey, state: 'active' },
      ],
    })
    // The first key is not the newest any more, and cannot come back.
    const again = next(third, { hand_over: first.handsOver(cellA, third.publicKey) })
    expect(await bound(again)).toEqual([false, 'hand_over_invalid'])
    expect(await bound(bind())).toEqual([false, 'key_out_of_use'])
  })

  test('gets another key from an operator who names the one it replaces', async () => {
    await bound(bind())
    expect(await bound(next())).toEqual([false, 'owner_has_key'])
    expect(await bound(next(second, { replaces: second.publicKey }))).toEqual([
      false,
      'replaces_mismatch',
    ])
    expect(await bound(next(second, { replaces: first.publicKey }))).toEqual([true, 'replaced'])
    expect(await cell()).toMatchObject({ keys: [{ state: 'revoked' }, { state: 'active' }] })
    await expect.poll(() => told).toEqual([{ cell: 'cell-a', id: first.publicKey, kind: 'key' }])
  })

  test('a key out of use installs no successor, whoever brings its signature', async () => {
    await bound(bind())
    await real.ask('enrolment.transition-key', { public_key: first.publicKey, state: 'revoked' })
    const hand_over = first.handsOver(cellA, second.publicKey)
    const stolen = next(second, { hand_over, replaces: first.publicKey })
    expect(await bound(stolen, ANYBODY)).toEqual([false, 'peer_not_permitted'])
    expect(await cell()).toMatchObject({ keys: [{ state: 'revoked' }] })
  })

  test('whoever brings a hand-over names no key of this custody', async () => {
    await bound(bind())
    const hand_over = first.handsOver(cellA, second.publicKey)
    const here = next(second, { custody: 'cell', hand_over })
    expect(await bound(here, ANYBODY)).toEqual([false, 'peer_not_permitted'])
    expect(await cell()).toMatchObject({ local: false })
  })

  test('an earlier key does not put the newest one out of use', async () => {
    await bound(bind())
    await bound(next(second, { hand_over: first.handsOver(cellA, second.publicKey) }))
    const action = 'enrolment.transition-key'
    const by = (key: SigningKey, public_key: string): Json => {
      const body = { public_key, state: 'revoked' }
      return signedCall(key, { action, body, cell: 'cell-a', time: now })
    }
    const refused = [false, 'peer_not_permitted']
    expect(await real.ask(action, by(first, second.publicKey), ANYBODY)).toEqual(refused)
    expect(await real.ask(action, by(second, first.publicKey), ANYBODY)).toEqual([
      true,
      'transitioned',
    ])
  })

  test('has eight keys on record, and older ones keep their own', async () => {
    await bound(bind())
    let before = first
    for (let n = 0; n < 9; n++) {
      const after = signingKey(`next ${n}`)
      const hand_over = before.handsOver(cellA, after.publicKey)
      expect(await bound(next(after, { hand_over }))).toEqual([true, 'handed_over'])
      before = after
    }
    expect(await cell()).toHaveProperty('keys.length', 8)
    expect(await bound(bind())).toEqual([false, 'key_out_of_use'])
  })

  test('whose key is here proves itself to another kernel', async () => {
    const [key] = await real.custody.list('cell')
    if (key === undefined) throw new Error('the custody has a key')
    const own = { cell: 'cell-b', custody: key.name, public_key: toBase64url(key.publicKey) }
    expect(await bound(own, EMBEDDED)).toEqual([true, 'enrolled'])
    expect(await real.record('enrolment', 'cell/cell-b')).toMatchObject({ local: true })
    const { output } = await real.decide('enrolment.prove', { cell: 'cell-b' }, ANYBODY)
    const { proof, ...said } = output as { readonly proof: string }
    expect(said).toEqual({ cell: 'cell-b', public_key: own.public_key })
    const message = bindMessage({ owner: 'cell-b', scope: 'cell' })
    const signature = fromBase64url(proof) as Uint8Array
    expect(verifyEd25519(ed25519Key(key.publicKey), message, signature)).toBe(true)
    expect(await real.ask('enrolment.prove', { cell: 'cell-a' })).toEqual([false, 'key_not_here'])
  })

  test('revokes its own key by a signed call, once', async () => {
    await bound(bind())
    const action = 'enrolment.transition-key'
    const body = { public_key: first.publicKey, state: 'grace' }
    const call = signedCall(first, { action, body, cell: 'cell-a', time: now })
    expect(await real.ask(action, body, ANYBODY)).toEqual([false, 'peer_not_permitted'])
    expect(await real.ask(action, call, ANYBODY)).toEqual([true, 'transitioned'])
    expect(await real.ask(action, call, ANYBODY)).toEqual([false, 'caller_replayed'])
    const revoke = { ...body, state: 'revoked' }
    const later = signedCall(first, { action, body: revoke, cell: 'cell-a', time: now })
    expect(await real.ask(action, later, ANYBODY)).toEqual([true, 'transitioned'])
    expect(await cell()).toMatchObject({ keys: [{ state: 'revoked' }] })
    const third = signedCall(first, { action, body: revoke, cell: 'cell-a', time: now })
    expect(await real.ask(action, third, ANYBODY)).toEqual([false, 'caller_key_revoked'])
    await expect.poll(() => told).toEqual([{ cell: 'cell-a', id: first.publicKey, kind: 'key' }])
  })
})

describe('one key', () => {
  const tenant = (key = first): Json => ({
    tenant: 'acme',
    public_key: key.publicKey,
    proof: key.binds(acme),
    verification: { by: 'ops', reference: 'ticket 7' },
  })
  const registered = (payload: Json) => real.ask('enrolment.register-tenant', payload)

  test('has one scope, also after it was revoked', async () => {
    await bound(bind())
    expect(await registered(tenant())).toEqual([false, 'key_scope_conflict'])
    const revoked = { public_key: first.publicKey, state: 'revoked' }
    await real.decide('enrolment.transition-key', revoked)
    expect(await registered(tenant())).toEqual([false, 'key_scope_conflict'])
    expect(await registered(tenant(second))).toEqual([true, 'enrolled'])
    expect(await real.record('enrolment', 'tenant/acme')).toEqual({
      keys: [{ public_key: second.publicKey, since: now, state: 'active' }],
      state: 'active',
      tenant: 'acme',
      verification: { by: 'ops', reference: 'ticket 7' },
    })
    await real.decide('enrolment.transition-key', { ...revoked, public_key: second.publicKey })
    expect(await real.record('enrolment', 'tenant/acme')).toMatchObject({ state: 'revoked' })
  })

  test('has one owner', async () => {
    await bound(bind())
    const other = { cell: 'cell-b', proof: first.binds({ ...cellA, owner: 'cell-b' }) }
    expect(await bound(bind(other))).toEqual([false, 'key_owner_conflict'])
  })

  test('asked for in two scopes at the same time gets exactly one', async () => {
    const scopes = ['task', 'policy', 'witness', 'federation', 'bootstrap', 'log']
    const asked = scopes.map((scope) => {
      const owner = { owner: 'x', scope }
      const proof = first.binds(owner)
      return real.ask('enrolment.register-key', { ...owner, proof, public_key: first.publicKey })
    })
    const answers = await Promise.all([...asked, registered(tenant()), bound(bind())])
    expect(answers.filter(([allow]) => allow)).toEqual([[true, 'enrolled']])
    expect(new Set(answers.filter(([allow]) => !allow).map(String))).toEqual(
      new Set(['false,key_scope_conflict']),
    )
  })

  test('of a cell and one of a tenant do not stand for each other', async () => {
    expect(await bound(bind({ proof: first.binds({ ...cellA, scope: 'tenant' }) }))).toEqual([
      false,
      'proof_invalid',
    ])
  })

  test('that the plugin release has pinned is refused in every scope', async () => {
    await real.kernel.close()
    real = await realKernel([enrolment as Plugin, pins], { outbound: [teller] })
    const key = { partition: 'release', sort: `key/${first.publicKey}` }
    const value = new TextEncoder().encode('{"pinned":true}')
    await real.store.commit([{ writes: [{ put: key, value, if: 'absent' }] }])
    expect(await bound(bind())).toEqual([false, 'key_scope_conflict'])
  })

  test.each(WEAK_KEYS)('%s is weak in every action', async (public_key) => {
    const proof = toBase64url(new Uint8Array(64).with(0, 1))
    const asked: readonly (readonly [string, Json])[] = [
      ['bind-cell', { cell: 'cell-a', proof, public_key }],
      ['register-tenant', { proof, public_key, tenant: 'acme' }],
      ['pin-controller', { public_key }],
      ['register-key', { owner: 'x', proof, public_key, scope: 'task' }],
      ['transition-key', { public_key, state: 'revoked' }],
    ]
    for (const [verb, payload] of asked)
      expect(await real.ask(`enrolment.${verb}`, payload)).toEqual([false, 'weak_key'])
  })
})

describe('what is tampered with', () => {
  test.each<readonly [string, Json, string]>([
    ['a bit of the proof', bind({ proof: flipped(first.binds(cellA)) }), 'proof_invalid'],
    ['the cell', bind({ cell: 'cell-b' }), 'proof_invalid'],
    ['the key', bind({ public_key: second.publicKey }), 'proof_invalid'],
    ['no proof', { cell: 'cell-a', public_key: first.publicKey }, 'proof_missing'],
    [
      'a key that is not canonical',
      bind({ public_key: `${'A'.repeat(42)}B` }),
      'malformed_request',
    ],
    ['a surplus member', bind({ state: 'active' }), 'malformed_request'],
    ['a look-alike member', bind({ 'public_ke\u0443': 'x' }), 'malformed_request'],
    ['__proto__', JSON.parse('{"__proto__":{"cell":"a"},"public_key":"x"}'), 'malformed_request'],
    ['a cell with a slash', bind({ cell: 'cell-a/..' }), 'malformed_request'],
  ])('%s is refused', async (_, payload, code) => {
    expect(await bound(payload)).toEqual([false, code])
  })

  test('a member twice is refused', async () => {
    const { Payload } = await import('../../core/request.ts')
    const text = '{"cell":"cell-a","cell":"cell-b","public_key":"x"}'
    const payload = Payload.fromBytes(new TextEncoder().encode(text))
    const decision = await real.kernel.decide({ action: 'enrolment.bind-cell', payload })
    expect(decision.reasons).toMatchObject([{ code: 'malformed_request' }])
  })
})

test('the controller is pinned at start, and again at the next', async () => {
  const pin = (key: typeof first): Json => ({ public_key: key.publicKey })
  const asked = (payload: Json) => real.ask('enrolment.pin-controller', payload, EMBEDDED)
  expect(await asked(pin(first))).toEqual([true, 'enrolled'])
  expect(await asked(pin(first))).toEqual([true, 'unchanged'])
  expect(await asked(pin(second))).toEqual([false, 'owner_has_key'])
  expect(await real.record('enrolment', 'controller')).toEqual({
    keys: [{ public_key: first.publicKey, since: now, state: 'active' }],
  })
})
