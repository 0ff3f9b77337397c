/** Messages that come, through a real kernel with the package's policies: what is believed, and what each tampering comes to. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { deflateRawSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { canonicalJson } from '../../core/canonical.ts'
import { toBase64url } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import { Payload } from '../../core/request.ts'
import { HEADER_BYTES, MAX_BODY_BYTES } from '../../formats/wire/index.ts'
import { type SigningKey, signingKey, WEAK_KEYS } from '../../test/keys.ts'
import {
  announcement,
  frameOf,
  messageOf,
  NOW,
  openPost,
  type Post,
  STRANGER,
  textFrame,
} from '../../test/messages.ts'
import { announce } from './facts.ts'

const controller = signingKey('controller')
const cellB = signingKey('cell-b')
const carol = signingKey('carol')
const encoder = new TextEncoder()
const DATA = readFileSync(join(import.meta.dirname, '../../policies/announce/data.json'), 'utf8')
const ACCEPTED = [true, 'signed_message']

let post: Post
const byController = (body: { readonly [member: string]: Json }): Uint8Array =>
  messageOf(controller, body)
const received = (body: { readonly [member: string]: Json }, key: SigningKey = controller) =>
  post.receive(messageOf(key, body))

describe('what is tampered with', () => {
  beforeAll(async () => {
    post = await openPost()
  })
  afterAll(() => post.kernel.close())

  const whole = byController(announcement())
  const text = new TextDecoder().decode(whole.subarray(HEADER_BYTES))
  const flip = (at: number): Uint8Array => whole.with(at, (whole[at] as number) ^ 1)
  const deflated = (body: string): Uint8Array =>
    frameOf(controller, new Uint8Array(deflateRawSync(encoder.encode(body))), 1)
  const bomb = new Uint8Array(deflateRawSync(Buffer.alloc(60_000_000), { level: 9 }))
  const weak = (key: string): Uint8Array =>
    frameOf({ publicKey: key, sign: () => new Uint8Array(64).fill(1) }, encoder.encode(text))
  const signed = (body: string): Uint8Array => textFrame(controller, body)
  const said = JSON.parse(text)

  /** Refused before it is a decision: the signature does not hold. */
  test.each<readonly [string, Uint8Array, string]>([
    ['nothing', new Uint8Array(), 'malformed'],
    ['another magic', flip(3), 'malformed'],
    ['a frame without a body', whole.subarray(0, HEADER_BYTES), 'malformed'],
    ['an unknown flag', whole.with(4, 2), 'unknown_flags'],
    ['the flag of another encoding', whole.with(4, 1), 'signature_invalid'],
    ['more bytes than a message has', new Uint8Array(65_537).fill(1), 'too_large'],
    ['no signature', Uint8Array.from(whole).fill(0, 37, HEADER_BYTES), 'unsigned'],
    ['one bit of the key', flip(5), 'signer_unknown'],
    ['one bit of the signature', flip(40), 'signature_invalid'],
    ['one bit of the body', flip(HEADER_BYTES + 3), 'signature_invalid'],
    ['a missing end', whole.subarray(0, -1), 'signature_invalid'],
    ['a byte behind its end', Uint8Array.of(...whole, 0x20), 'signature_invalid'],
    ["somebody's key", messageOf(signingKey('somebody'), announcement()), 'signer_unknown'],
    ...WEAK_KEYS.map((key) => ['a weak key', weak(key), 'weak_key'] as const),
  ])('with %s', async (_, message, why) => {
    expect(await post.receive(message)).toEqual(['refused', expect.stringContaining(why)])
  })

  /** Signed by the controller itself: a decision, and a denial. */
  test.each<readonly [string, Uint8Array, string]>([
    ['no deflate', frameOf(controller, encoder.encode(text), 1), 'inflate_failed'],
    [
      'bytes behind the deflated',
      frameOf(controller, Uint8Array.of(...deflateRawSync(text), 7), 1),
      'inflate_failed',
    ],
    ['a bomb', frameOf(controller, bomb, 1), 'inflated_too_large'],
    ['bytes that are no text', frameOf(controller, Uint8Array.of(0x7b, 0xff)), 'invalid_utf8'],
    ['no JSON', signed('{"type":'), 'not_json'],
    ['a list', signed('[]'), 'malformed_body'],
    ['a member twice', signed(text.replace('{', '{"seq":1,')), 'duplicate_key'],
    ['a member twice, escaped', signed(text.replace('{', '{"\\u0073eq":1,')), 'duplicate_key'],
    ['half a character', signed(text.replace('gpu', '\\ud800')), 'lone_surrogate'],
    ['a huge integer', signed(text.replace('"seq":1', '"seq":9007199254740993')), 'number_range'],
    ['an infinity', signed(text.replace('"seq":1', '"seq":1e400')), 'number_range'],
    ['many levels', signed(`${'['.repeat(20)}${']'.repeat(20)}`), 'too_deep'],
    ['white space', signed(text.replace(',', ', ')), 'not_canonical'],
    [
      'another order',
      signed(JSON.stringify(Object.fromEntries(Object.entries(said).reverse()))),
      'not_canonical',
    ],
    [
      'another way to write a number',
      signed(text.replace('"seq":1', '"seq":1.0')),
      'not_canonical',
    ],
    ['an unknown type', byController({ ...said, type: 'announce' }), 'unknown_type'],
    ['a type named __proto__', byController({ ...said, type: '__proto__' }), 'unknown_type'],
    ['no type', signed('{}'), 'unknown_type'],
    ['a member named __proto__', signed(text.replace('{', '{"__proto__":{},')), 'unknown_member'],
    ['a letter that looks like another', byController({ ...said, sеq: 9 }), 'unknown_member'],
    ['a member of another type', byController({ ...said, after: 0 }), 'unknown_member'],
    ['a service that is no name', byController({ ...said, service: 'a/b' }), 'malformed_body'],
    ['a number that is text', byController({ ...said, seq: '1' }), 'malformed_body'],
    ['number 0', byController({ ...said, seq: 0 }), 'malformed_body'],
  ])('with %s, signed', async (_, message, why) => {
    expect(await post.receive(message)).toEqual([false, why])
    expect(await post.record('announce', 'announced/cell-b/gpu')).toBeUndefined()
    expect(await post.record('announce', `signer/${controller.publicKey}`)).toBeUndefined()
  })

  test('what is deflated says what it says, up to the last byte of the bound', async () => {
    const body = canonicalJson({ ...said, seq: 7 })
    expect(await post.receive(deflated(body))).toEqual(ACCEPTED)
    expect(
      await post.receive(frameOf(controller, new Uint8Array(MAX_BODY_BYTES).fill(32))),
    ).toEqual([false, 'not_json'])
  })

  test('is not looked up, and nothing of it is parsed, before the signature holds', async () => {
    const asked: string[] = []
    const read: Pick<ReadPorts, 'get' | 'getFrom'> = {
      get: async (sort) => void asked.push(sort),
      getFrom: async (plugin, sort) => {
        asked.push(`${plugin}#${sort}`)
        if (sort !== 'controller') return undefined
        return { keys: [{ public_key: controller.publicKey, state: 'active' }] }
      },
    }
    const key = controller.publicKey
    const pins = ['enrolment#controller', `delegate/${key}`, `enrolment#key/${key}`]
    for (let at = HEADER_BYTES - 64; at < whole.length; at += 7) {
      asked.length = 0
      const payload = Payload.fromJson({ message: toBase64url(flip(at)) })
      const request = { action: 'announce.receive', obligations: [], payload, peer: STRANGER }
      const facts = await announce.facts(request, read as ReadPorts, NOW, AbortSignal.any([]))
      expect(facts.message).toEqual({ check: 'signature_invalid' })
      expect(asked).toEqual(pins)
      expect(await announce.screen?.(request, read as ReadPorts)).toBe('signature_invalid')
    }
  })
})

beforeEach(async () => {
  post = await openPost()
})
afterEach(() => post.kernel.close())

test('the controller announces and withdraws what a cell offers', async () => {
  expect(await received(announcement())).toEqual(ACCEPTED)
  expect(await post.record('announce', 'announced/cell-b/gpu')).toMatchObject({
    endpoint: 'https://cell-b.test:7443',
  })
  const withdrawal = { type: 'WITHDRAW', cell: 'cell-b', service: 'gpu', seq: 2 }
  expect(await received(withdrawal)).toEqual(ACCEPTED)
  expect(await post.record('announce', 'announced/cell-b/gpu')).toBeUndefined()
})

test('a message is heard once, and none that was signed before it', async () => {
  expect(await received(announcement({ seq: 5 }))).toEqual(ACCEPTED)
  expect(await received(announcement({ seq: 5 }))).toEqual([false, 'replayed'])
  expect(await received(announcement({ seq: 4 }))).toEqual([false, 'replayed'])
  expect(await received(announcement({ seq: 9 }))).toEqual(ACCEPTED)
})

test('of many copies at the same time one counts', async () => {
  const message = byController(announcement())
  const told = await Promise.all(Array.from({ length: 8 }, () => post.receive(message)))
  expect(told.filter(([allow]) => allow === true)).toHaveLength(1)
})

test('a message is heard soon after it was signed, or not at all', async () => {
  expect(await received(announcement({ time: NOW + 31 }))).toEqual([false, 'not_yet_valid'])
  expect(await received(announcement({ time: NOW - 301 }))).toEqual([false, 'too_old'])
  expect(await received(announcement({ time: NOW + 30 }))).toEqual(ACCEPTED)
})

describe('a delegate', () => {
  const delegation = (more: object = {}) => ({
    type: 'DELEGATE',
    expires: NOW + 100,
    key: carol.publicKey,
    not_before: NOW,
    types: ['ANNOUNCE'],
    ...more,
  })

  test('announces while its delegation is in force, of its cells and types', async () => {
    expect(await received(announcement(), carol)).toEqual([
      'refused',
      expect.stringContaining('signer_unknown'),
    ])
    expect(await received(delegation({ cells: ['cell-b'] }))).toEqual(ACCEPTED)
    expect(await received(announcement(), carol)).toEqual(ACCEPTED)
    expect(await received(announcement({ seq: 2, cell: 'cell-c' }), carol)).toEqual([
      false,
      'delegation_cell',
    ])
    const withdrawal = { type: 'WITHDRAW', cell: 'cell-b', service: 'gpu', seq: 3 }
    expect(await received(withdrawal, carol)).toEqual([false, 'delegation_type'])
    post.clock.advance(100_000)
    const late = announcement({ seq: 4, time: NOW + 100 })
    expect(await received(late, carol)).toEqual([false, 'delegation_expired'])
  })

  test('is not heard before its delegation begins', async () => {
    await received(delegation({ not_before: NOW + 10 }))
    expect(await received(announcement(), carol)).toEqual([false, 'delegation_not_yet_valid'])
  })

  test('loses it for ever when the controller takes it back', async () => {
    await received(delegation())
    const undelegation = { type: 'UNDELEGATE', key: carol.publicKey, seq: 2 }
    expect(await received(undelegation)).toEqual(ACCEPTED)
    expect(await received(announcement(), carol)).toEqual([false, 'delegation_revoked'])
    expect(await received(delegation({ seq: 3 }))).toEqual([false, 'delegation_withdrawn'])
  })

  test('loses it also when later messages overtook that, and once', async () => {
    await received(delegation())
    expect(await received(announcement({ seq: 9 }))).toEqual(ACCEPTED)
    const undelegation = { type: 'UNDELEGATE', key: carol.publicKey, seq: 2 }
    expect(await received(undelegation)).toEqual(ACCEPTED)
    expect(await received(announcement(), carol)).toEqual([false, 'delegation_revoked'])
    expect(await received(undelegation)).toEqual([false, 'replayed'])
    expect(await received(announcement({ seq: 9 }))).toEqual([false, 'replayed'])
  })

  test('is not made by a delegate, nor by a cell', async () => {
    await received(delegation({ types: ['ANNOUNCE', 'DELEGATE'] }))
    const other = delegation({ key: cellB.publicKey })
    expect(await received(other, carol)).toEqual([false, 'controller_only'])
    expect(await received(other, cellB)).toEqual([false, 'controller_only'])
  })

  test('has a key that nobody can sign for, and that is not for something else', async () => {
    const [identity = ''] = WEAK_KEYS
    expect(await received(delegation({ key: identity }))).toEqual([false, 'delegate_weak_key'])
    const task = { owner: 'runner', scope: 'task' }
    await post.decide('enrolment.register-key', {
      ...task,
      public_key: carol.publicKey,
      proof: carol.binds(task),
    })
    expect(await received(delegation())).toEqual([false, 'delegate_scope'])
  })
})

describe('where no controller is pinned', () => {
  const unpinned = async (trust: boolean): Promise<void> => {
    await post.kernel.close()
    const data = JSON.parse(DATA) as { [member: string]: Json }
    post = await openPost({
      pinned: false,
      data: { announce: { ...data, trust_on_first_use: trust } },
    })
  }

  test('nobody is believed', async () => {
    await unpinned(false)
    expect(await received(announcement())).toEqual([false, 'signer_unknown'])
    const forged = byController(announcement()).with(40, 0)
    expect(await post.receive(forged)).toEqual([
      'refused',
      expect.stringContaining('signature_invalid'),
    ])
  })

  test('the first one to announce is, if the policy says so, and nobody after it', async () => {
    await unpinned(true)
    expect(await received({ type: 'WITHDRAW', cell: 'cell-b', service: 'gpu' })).toEqual([
      false,
      'signer_unknown',
    ])
    const [first, second] = await Promise.all([
      received(announcement()),
      received(announcement(), carol),
    ])
    const told = [first, second].map(([, ...why]) => why.join(' ')).sort()
    expect(told[0]).toBe('first_use signed_message')
    expect(told[1]).toContain('signer_unknown')
    const pinned = (await post.record('announce', 'tofu')) as { public_key: string }
    const one = pinned.public_key === controller.publicKey ? controller : carol
    expect(await received(announcement({ seq: 2 }), one)).toEqual(ACCEPTED)
  })

  test('a pin ends what was believed at first use', async () => {
    await unpinned(true)
    await received(announcement(), carol)
    const pin = { public_key: controller.publicKey }
    await post.decide('enrolment.pin-controller', pin, { kind: 'embedded', id: 'process' })
    expect(await received(announcement({ seq: 2 }), carol)).toEqual([
      'refused',
      expect.stringContaining('signer_unknown'),
    ])
    expect(await received(announcement())).toEqual(ACCEPTED)
  })
})
