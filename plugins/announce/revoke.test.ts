/** What is revoked here, what others learn of it, and how it ends. Real kernels, real policies, real signatures. */
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { fromBase64url } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import { HEADER_BYTES, withSignature } from '../../formats/wire/index.ts'
import { signedCall, signingKey } from '../../test/keys.ts'
import { EMBEDDED, messageOf, NOW, openPost, type Post, STRANGER } from '../../test/messages.ts'

const cellB = signingKey('cell-b')
const token = (n: number): string => String(n).padStart(64, '0')

let post: Post
beforeEach(async () => {
  post = await openPost()
})
afterEach(() => post.kernel.close())

const revoke = (body: object): Promise<readonly (boolean | string)[]> =>
  post.ask('announce.revoke', { cell: 'cell-a', ...body } as Json)
const own = (): Promise<Json | undefined> => post.record('announce', 'own')
const sent = (count: number): Promise<void> => expect.poll(() => post.broadcasts.length).toBe(count)

/** The message of an outbox entry, and what it says. */
function said(entry: Json): { readonly [member: string]: Json } {
  const { unsigned } = entry as { unsigned: string }
  const frame = fromBase64url(unsigned) as Uint8Array
  return JSON.parse(new TextDecoder().decode(frame.subarray(HEADER_BYTES)))
}
function message(entry: Json): Uint8Array {
  const { signatures, unsigned } = entry as { signatures: { signature: string }; unsigned: string }
  const bytes = [unsigned, signatures.signature].map(fromBase64url) as [Uint8Array, Uint8Array]
  return withSignature(...bytes)
}

describe('revoking', () => {
  test('writes the record, takes the next number and sends it, in one commit', async () => {
    const decided = await post.decide('announce.revoke', {
      cell: 'cell-a',
      id: token(1),
      kind: 'token',
    })
    expect(decided.output).toMatchObject({ repeated: false, sequence: 1, until: NOW + 330 })
    expect(await post.record('announce', `revoked/token/cell-a/${token(1)}`)).toEqual({
      at: NOW,
      id: token(1),
      kind: 'token',
      origin: 'cell-a',
      reach: 'cell-a',
      sequence: 1,
      until: NOW + 330,
    })
    await sent(1)
    expect(said(post.broadcasts[0] as Json)).toEqual({
      after: 0,
      cell: 'cell-a',
      entries: [{ at: NOW, id: token(1), kind: 'token', until: NOW + 330 }],
      from: 'cell-a',
      seq: 1,
      time: NOW,
      type: 'REVOKE_BROADCAST',
    })
  })

  test('again is no second message', async () => {
    await revoke({ id: token(1), kind: 'token' })
    post.clock.advance(5000)
    expect(await revoke({ id: token(1), kind: 'token' })).toEqual([
      true,
      'already_revoked',
      'peer_allowed',
    ])
    expect(await own()).toMatchObject({ sequence: 1 })
    await sent(1)
  })

  test('of more generations is another message, and nothing gets weaker', async () => {
    await revoke({ id: 'l1', kind: 'lease', below: 3 })
    await revoke({ id: 'l1', kind: 'lease', below: 2 })
    expect(await own()).toMatchObject({ sequence: 1 })
    await revoke({ id: 'l1', kind: 'lease', below: 5 })
    expect(await post.record('announce', 'revoked/lease/cell-a/l1')).toMatchObject({ below: 5 })
    await revoke({ id: 'l1', kind: 'lease' })
    expect(await post.record('announce', 'revoked/lease/cell-a/l1')).not.toHaveProperty('below')
    await sent(3)
    expect(post.broadcasts.map((entry) => said(entry).after)).toEqual([0, 1, 2])
  })

  test('of a tenant is for ever', async () => {
    await revoke({ id: 'acme', kind: 'tenant' })
    expect(await post.record('announce', 'revoked/tenant/cell-a/acme')).toMatchObject({
      until: null,
    })
  })

  test('at the same time takes a number each', async () => {
    const told = await Promise.all([1, 2, 3, 4].map((n) => revoke({ id: token(n), kind: 'token' })))
    expect(told).toEqual(told.map(() => [true, 'peer_allowed']))
    await sent(4)
    const numbers = post.broadcasts.map((entry) => said(entry).seq)
    expect(numbers.sort()).toEqual([1, 2, 3, 4])
  })

  test('is for operators, and for the cell itself by a signed call', async () => {
    const body = { cell: 'cell-b', id: token(1), kind: 'token' }
    expect(await post.ask('announce.revoke', body, STRANGER)).toEqual([false, 'peer_not_allowed'])
    const call = signedCall(cellB, { action: 'announce.revoke', body, cell: 'cell-b', time: NOW })
    // Whose key is elsewhere revokes there.
    expect(await post.ask('announce.revoke', call, STRANGER)).toEqual([false, 'cell_not_local'])
    const other = { ...body, cell: 'cell-a' }
    const foreign = signedCall(cellB, {
      action: 'announce.revoke',
      body: other,
      cell: 'cell-b',
      time: NOW,
    })
    expect(await post.ask('announce.revoke', foreign, STRANGER)).toEqual([
      false,
      'peer_not_allowed',
    ])
  })
})

describe('another kernel', () => {
  let other: Post
  beforeEach(async () => {
    other = await openPost({ guest: post })
  })
  afterEach(() => other.kernel.close())

  const pull = async (after = 0): Promise<Uint8Array> => {
    const { output } = await post.decide(
      'announce.revocations',
      { after, cell: 'cell-a' },
      STRANGER,
    )
    return post.made(output)
  }
  const known = (id: string): Promise<Json | undefined> =>
    other.record('announce', `revoked/token/cell-a/${id}`)
  const feed = (): Promise<Json | undefined> => other.record('announce', 'feed/cell-a')

  test('learns of each revocation from its message', async () => {
    await revoke({ id: token(1), kind: 'token' })
    await revoke({ id: token(2), kind: 'token' })
    await sent(2)
    for (const entry of post.broadcasts)
      expect(await other.receive(message(entry))).toEqual([true, 'signed_message'])
    expect(await known(token(2))).toMatchObject({ origin: 'cell-a', until: NOW + 330 })
    expect(await feed()).toMatchObject({ as_of: NOW, seen: 2, sequence: 2 })
    expect(other.fetches).toEqual([])
  })

  test('notices a gap, keeps what it got, and fills it with a pull', async () => {
    for (const n of [1, 2, 3]) await revoke({ id: token(n), kind: 'token' })
    await sent(3)
    await other.receive(message(post.broadcasts[0] as Json))
    post.clock.advance(1000)
    expect(await other.receive(message(post.broadcasts[2] as Json))).toEqual([
      true,
      'signed_message',
    ])
    expect(await known(token(3))).toBeDefined()
    expect(await feed()).toMatchObject({ as_of: NOW, seen: 3, sequence: 1 })
    await expect.poll(() => other.fetches).toEqual([{ cell: 'cell-a' }])
    expect(await other.receive(message(post.broadcasts[1] as Json))).toEqual([false, 'replayed'])
    expect(await other.learn(await pull(1))).toEqual([true, 'signed_message'])
    expect(await known(token(2))).toBeDefined()
    expect(await feed()).toMatchObject({ seen: 3, sequence: 3 })
  })

  test('knows after a pull without entries that nothing was revoked', async () => {
    await other.learn(await pull())
    expect(await feed()).toMatchObject({ as_of: NOW, sequence: 0 })
  })

  test('believes a page of nobody else', async () => {
    const page = {
      type: 'REVOCATIONS',
      after: 0,
      cell: 'cell-a',
      entries: [],
      from: 'cell-a',
      more: false,
      through: 9,
    }
    expect(await other.learn(messageOf(cellB, page))).toEqual([false, 'not_of_its_cell'])
    const forged = (await pull()).with(HEADER_BYTES + 12, 0x31)
    expect(await other.learn(forged)).toEqual([
      'refused',
      expect.stringContaining('signature_invalid'),
    ])
  })

  test('fetches a large set page after page', async () => {
    for (let n = 0; n < 150; n++) await revoke({ id: token(n), kind: 'token' })
    let after = 0
    let pages = 0
    for (let more = true; more; pages++) {
      const { output } = await post.decide('announce.revocations', { after, cell: 'cell-a' })
      await other.learn(post.made(output))
      const told = output as { more: boolean; through: number }
      after = told.through
      more = told.more
      expect(await feed()).toMatchObject({ as_of: more ? 0 : NOW, sequence: after })
    }
    expect(pages).toBe(3)
    for (const n of [0, 64, 149]) expect(await known(token(n))).toBeDefined()
  })

  test('has the same set whatever the order, the losses and the copies, once gaps are filled', async () => {
    for (let n = 0; n < 6; n++) await revoke({ id: token(n), kind: 'token' })
    await sent(6)
    const messages = post.broadcasts.map(message)
    const page = await pull()
    const order = fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(order, async (delivered) => {
        const third = await openPost({ guest: post })
        for (const n of delivered) await third.receive(messages[n] as Uint8Array)
        await third.learn(page)
        const feed = (await third.record('announce', 'feed/cell-a')) as Record<string, Json>
        expect(feed).toMatchObject({ as_of: NOW, seen: 6, sequence: 6 })
        for (let n = 0; n < 6; n++)
          expect(await third.record('announce', `revoked/token/cell-a/${token(n)}`)).toMatchObject({
            until: NOW + 330,
          })
        await third.kernel.close()
      }),
      { numRuns: 12 },
    )
  })
})

describe('the set', () => {
  const sweep = async (): Promise<Json | undefined> =>
    (await post.decide('announce.sweep', {}, EMBEDDED)).output
  const all = async (): Promise<readonly Json[]> => {
    const { output } = await post.decide('announce.revocations', { cell: 'cell-a' })
    const { unsigned } = output as { unsigned: string }
    return said({ unsigned }).entries as readonly Json[]
  }

  test('shrinks again when tokens are over, and keeps what has no end', async () => {
    await revoke({ id: 'acme', kind: 'tenant' })
    for (let n = 0; n < 70; n++) await revoke({ id: token(n), kind: 'token' })
    expect(await all()).toHaveLength(64)
    post.clock.advance(331_000)
    // Swept or not, it counts no more.
    expect(await all()).toHaveLength(1)
    expect(await sweep()).toEqual({ more: false, swept: 70 })
    expect(await post.record('announce', `revoked/token/cell-a/${token(3)}`)).toBeUndefined()
    expect(await post.record('announce', 'revoked/tenant/cell-a/acme')).toBeDefined()
    expect(await own()).toMatchObject({ oldest: 0, swept: 1 })
    expect(await post.ask('announce.sweep', {}, EMBEDDED)).toEqual([false, 'nothing_to_sweep'])
    expect(await all()).toHaveLength(1)
  })

  test('forgets the chunks in which nothing is left', async () => {
    for (let n = 0; n < 130; n++) await revoke({ id: token(n), kind: 'token' })
    post.clock.advance(331_000)
    expect(await sweep()).toEqual({ more: true, swept: 127 })
    expect(await sweep()).toEqual({ more: false, swept: 3 })
    expect(await own()).toEqual({ oldest: 2, sequence: 130, swept: 2 })
    expect(await post.record('announce', 'journal/0')).toBeUndefined()
    await revoke({ id: token(999), kind: 'token' })
    expect(await all()).toHaveLength(1)
  })

  test('keeps what was revoked again for longer', async () => {
    await revoke({ id: token(1), kind: 'token', until: NOW + 10 })
    await revoke({ id: token(1), kind: 'token', until: NOW + 200 })
    post.clock.advance(100_000)
    expect(await post.ask('announce.sweep', {}, EMBEDDED)).toEqual([false, 'nothing_to_sweep'])
    post.clock.advance(101_000)
    expect(await sweep()).toMatchObject({ swept: 1 })
    expect(await post.record('announce', `revoked/token/cell-a/${token(1)}`)).toBeUndefined()
  })
})

test('a message is published with a key of this kernel, and with no other', async () => {
  const payload = {
    as: 'cell',
    from: 'cell-a',
    message: { type: 'WITHDRAW', cell: 'cell-a', service: 'gpu' },
    send: true,
  }
  const decided = await post.decide('announce.publish', payload)
  expect(said(decided.output as Json)).toMatchObject({ from: 'cell-a', seq: 1, time: NOW })
  await sent(1)
  expect(message(post.broadcasts[0] as Json)).toEqual(post.made(decided.output))
  const asController = { ...payload, as: 'controller', from: 'control' }
  expect(await post.ask('announce.publish', asController)).toEqual([false, 'signer_not_held'])
  expect(await post.ask('announce.publish', payload, STRANGER)).toEqual([false, 'peer_not_allowed'])
  const numbered = { ...payload, message: { ...payload.message, seq: 9 } }
  expect(await post.ask('announce.publish', numbered)).toEqual([false, 'malformed_request'])
})
