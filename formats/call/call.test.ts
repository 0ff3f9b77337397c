import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { randomBytes, toBase64url, toHex } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import {
  bindMessage,
  type Call,
  callerOf,
  callerSchema,
  callMessage,
  handOverMessage,
  importKey,
  NO_CALLER,
  nonceKey,
  nonceState,
  openCall,
  type Said,
  withNonce,
} from './index.ts'

const NOW = 1_800_000_000
const secret = new Uint8Array(32).fill(7)
const publicKey = toBase64url(ed25519.getPublicKey(secret))
const said: Said = {
  action: 'lease.renew',
  body: { lease: 'l1', ttl: 60 },
  cell: 'cell-a',
  nonce: toBase64url(new Uint8Array(16).fill(1)),
  time: NOW,
}
const signature = (over: Said = said): Uint8Array => ed25519.sign(callMessage(over), secret)
const call = (over: Partial<Said> = {}): Call => {
  const { cell, nonce, time } = { ...said, ...over }
  return { cell, nonce, signature: signature({ ...said, ...over }), time }
}
const payload = (more: object = {}): Json => ({
  body: said.body,
  call: {
    cell: said.cell,
    nonce: said.nonce,
    signature: toBase64url(signature()),
    time: said.time,
    ...more,
  } as Json,
})

describe('a payload', () => {
  test('without a call is a body that nobody signed', () => {
    for (const body of [{ lease: 'l1' }, { body: 1 }, null, [1], 'text'])
      expect(openCall(body)).toEqual({ body })
  })

  test('with a call comes apart', () => {
    expect(openCall(payload())).toEqual({ body: said.body, call: call() })
  })

  test.each<readonly [string, Json]>([
    ['no body', { call: (payload() as { call: Json }).call }],
    ['a surplus member', { ...(payload() as object), more: 1 }],
    ['a member named __proto__', JSON.parse('{"body":1,"call":{"__proto__":1}}')],
    ['a surplus member of the call', payload({ key: 'x' })],
    ['a cell with a slash', payload({ cell: 'a/b' })],
    ['a short nonce', payload({ nonce: 'AAAA' })],
    ['a time with a fraction', payload({ time: 1.5 })],
    ['a signature of 63 bytes', payload({ signature: toBase64url(new Uint8Array(63)) })],
    // The last character has bits that no bytes have.
    ['a signature that is not canonical', payload({ signature: `${'A'.repeat(85)}B` })],
    ['a call that is a list', { body: 1, call: [] }],
  ])('with %s has a problem', (_, value) => {
    expect(openCall(value)).toHaveProperty('problem')
  })

  test('of any kind comes apart or has a problem', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (body, inner) => {
        const opened = openCall({ body, call: inner } as Json)
        expect('problem' in opened).toBe(true)
      }),
    )
  })
})

describe('messages', () => {
  // The digest was made by Python's json (sorted, without spaces) and hashlib.
  test('are a tag and a digest, fixed for ever', () => {
    expect(toHex(callMessage(said))).toBe(
      '61737361792f63656c6c2d63616c6c2f763100' +
        '7ec04eded12e81a4cdaa51be4035c70c87fad8464d9cdf5fc7c8fa8de0a00c98',
    )
  })

  test('differ in whatever they say', () => {
    const owner = { owner: 'a', scope: 'cell' }
    const messages = [
      callMessage(said),
      callMessage({ ...said, action: 'lease.free' }),
      callMessage({ ...said, body: { lease: 'l2', ttl: 60 } }),
      callMessage({ ...said, cell: 'cell-b' }),
      callMessage({ ...said, nonce: toBase64url(new Uint8Array(16)) }),
      callMessage({ ...said, time: NOW + 1 }),
      bindMessage(owner),
      bindMessage({ ...owner, scope: 'tenant' }),
      handOverMessage(owner, publicKey),
      handOverMessage(owner, toBase64url(new Uint8Array(32))),
    ]
    expect(new Set(messages.map(toHex)).size).toBe(messages.length)
  })
})

const cellRecord = { keys: [{ public_key: publicKey, state: 'active' }] }
const askedFor = (over: object = {}): { action: string; body: Json } => ({
  action: said.action,
  body: said.body,
  ...over,
})
const reads = (
  cell: Json | undefined,
  nonces?: Json,
  asked: string[] = [],
  revoked: Readonly<Record<string, Json>> = {},
) => ({
  async revoked(sort: string) {
    asked.push(sort)
    return revoked[sort]
  },
  async cell(sort: string) {
    asked.push(sort)
    return cell
  },
  async nonces(sort: string) {
    asked.push(sort)
    return nonces
  },
})

describe('the caller', () => {
  test('is nobody where nobody signed', async () => {
    expect(await callerOf(undefined, askedFor(), reads(cellRecord), NOW)).toEqual(NO_CALLER)
    expect(callerSchema.problem(NO_CALLER, '')).toBeUndefined()
  })

  test('is the cell whose key signed', async () => {
    const asked: string[] = []
    const caller = await callerOf(call(), askedFor(), reads(cellRecord, undefined, asked), NOW)
    expect(caller).toEqual({
      cell: 'cell-a',
      check: 'valid',
      key_state: 'active',
      nonce: said.nonce,
      nonce_state: 'fresh',
      time: NOW,
    })
    expect(callerSchema.problem(caller, '')).toBeUndefined()
    const revoked = ['cell-a', '*'].map((reach) => `revoked/key/${reach}/${publicKey}`)
    expect(asked).toEqual(['cell/cell-a', `call/cell-a/${said.nonce[0]}`, ...revoked])
  })

  test('may have signed with an earlier key, whose state is told', async () => {
    const other = { public_key: toBase64url(ed25519.getPublicKey(randomBytes(32))) }
    const keys = [
      { ...other, state: 'active' },
      { public_key: publicKey, state: 'revoked' },
    ]
    expect(await callerOf(call(), askedFor(), reads({ keys }), NOW)).toMatchObject({
      check: 'valid',
      key_state: 'revoked',
    })
  })

  test.each([
    ['by the cell itself', `revoked/key/cell-a/${publicKey}`, null, 'revoked'],
    ['everywhere', `revoked/key/*/${publicKey}`, NOW + 1, 'revoked'],
    ['until now', `revoked/key/*/${publicKey}`, NOW, 'active'],
    ['by another cell', `revoked/key/cell-b/${publicKey}`, null, 'active'],
  ])('may have signed with a key that is revoked %s', async (_, sort, until, key_state) => {
    const ports = reads(cellRecord, undefined, [], { [sort]: { until } })
    const caller = await callerOf(call(), askedFor(), ports, NOW)
    expect(caller).toMatchObject({ check: 'valid', key_state })
  })

  test('is unknown where no such cell is enrolled', async () => {
    expect(await callerOf(call(), askedFor(), reads(undefined), NOW)).toMatchObject({
      check: 'cell_unknown',
    })
  })

  test.each<readonly [string, Call, object]>([
    ['another action', call(), { action: 'lease.free' }],
    ['another body', call(), { body: { lease: 'l2', ttl: 60 } }],
    ['a body with one member more', call(), { body: { lease: 'l1', ttl: 60, x: 1 } }],
    ['another time', { ...call(), time: NOW + 1 }, {}],
    ['another nonce', { ...call(), nonce: toBase64url(new Uint8Array(16)) }, {}],
    ['another cell', { ...call(), cell: 'cell-b' }, {}],
    ['one bit of the signature', { ...call(), signature: signature().with(3, 99) }, {}],
  ])('does not hold with %s, and no nonce is looked up', async (_, given, over) => {
    const asked: string[] = []
    const caller = await callerOf(given, askedFor(over), reads(cellRecord, undefined, asked), NOW)
    expect(caller).toMatchObject({ check: 'signature_invalid', key_state: 'none' })
    expect(asked).toHaveLength(1)
  })

  test('says the same body in another order of members', async () => {
    const body = { ttl: 60, lease: 'l1' }
    const caller = await callerOf(call(), askedFor({ body }), reads(cellRecord), NOW)
    expect(caller.check).toBe('valid')
  })

  test('whose nonce was heard is told as such', async () => {
    const nonces = withNonce(undefined, said, NOW)
    const caller = await callerOf(call(), askedFor(), reads(cellRecord, nonces), NOW)
    expect(caller).toMatchObject({ check: 'valid', nonce_state: 'seen' })
  })
})

describe('nonces', () => {
  const nonce = (n: number): string => toBase64url(new Uint8Array(16).fill(n))

  test('lie under the cell and their first character', () => {
    expect(nonceKey({ cell: 'c', nonce: nonce(255) })).toBe('call/c/_')
  })

  test('are forgotten when they could not be accepted any more', () => {
    const record = withNonce(undefined, { nonce: nonce(1), time: NOW }, NOW)
    expect(nonceState(record, nonce(1), NOW + 60)).toBe('seen')
    expect(nonceState(record, nonce(1), NOW + 91)).toBe('fresh')
    const later = withNonce(record, { nonce: nonce(2), time: NOW + 91 }, NOW + 91)
    expect(later).toEqual({ heard: [{ nonce: nonce(2), time: NOW + 91 }] })
  })

  test('fill a record, and then nothing counts as fresh', () => {
    let record: Json | undefined
    for (let n = 0; n < 64; n++) record = withNonce(record, { nonce: nonce(n), time: NOW }, NOW)
    expect(nonceState(record, nonce(64), NOW)).toBe('full')
    expect(nonceState(record, nonce(3), NOW)).toBe('seen')
  })
})

describe('keys', () => {
  test('are imported once', () => {
    const key = importKey(publicKey)
    expect(key).toMatchObject({ publicKey: ed25519.getPublicKey(secret) })
    expect(importKey(publicKey)).toBe(key)
  })

  test.each([
    ['', 'malformed'],
    [`${publicKey}=`, 'malformed'],
    [publicKey.slice(1), 'malformed'],
    [toBase64url(new Uint8Array(31)), 'malformed'],
    // The identity, y = 1: a signature under it verifies for every message.
    [toBase64url(new Uint8Array(32).fill(0).with(0, 1)), 'weak_key'],
    // y = 2^255 - 19 + 1, the identity again, not canonical.
    [toBase64url(new Uint8Array(32).fill(255).with(0, 0xee).with(31, 0x7f)), 'weak_key'],
    [toBase64url(new Uint8Array(32).fill(255)), 'weak_key'],
  ])('%j is %s', (text, expected) => {
    expect(importKey(text)).toBe(expected)
  })

  test('are forgotten in turn: memory is bounded', () => {
    const first = importKey(publicKey)
    for (let n = 0; n < 5000; n++) importKey(`no key ${n}`)
    expect(importKey(publicKey)).not.toBe(first)
    expect(importKey(publicKey)).toEqual(first)
  })
})
