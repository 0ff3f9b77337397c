/** What holders make by WebCrypto, read and verified by what the kernel uses. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ed25519ChainKey, fromBase64url, toBase64url, verifyEd25519 } from '../../core/crypto.ts'
import { authorityOf, CELL, chain, linkOf, pairOf, pinned, tokenText } from '../../test/tokens.ts'
import {
  assemble,
  attenuate,
  type Caveat,
  type Grant,
  inspectUnverified,
  newKey,
  prove,
  seal,
  TokenError,
} from './client.ts'
import {
  type Authority,
  authorityMessage,
  authorityPayload,
  MAX_BLOCKS,
  proofMessage,
  readToken,
  type Token,
  verifyToken,
} from './index.ts'

/** What a cell answers to who asks for a token. */
function grantFor(nk: string, changes: Partial<Authority> = {}): Grant {
  const payload = authorityPayload(authorityOf({ nk, ...changes }))
  const signature = pairOf(CELL).sign(authorityMessage(payload))
  return { payload: toBase64url(payload), signature: toBase64url(signature) }
}

function verified(text: string): Token {
  const token = readToken(text)
  if ('problem' in token) throw new Error(token.problem)
  expect(verifyToken(token, [pinned(CELL)])).toBe('valid')
  return token
}

async function codeOf(work: () => unknown): Promise<string> {
  try {
    await work()
    return 'made'
  } catch (error) {
    if (error instanceof TokenError) return error.code
    throw error
  }
}

describe('a holder', () => {
  it('makes keys, each another one', async () => {
    const [one, two] = [await newKey(), await newKey()]
    expect(one.publicKey).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(one.privateKey).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(new Set([one.publicKey, one.privateKey, two.publicKey, two.privateKey]).size).toBe(4)
  })

  it('assembles a grant and adds any caveats, and the result is valid, sealed or not', async () => {
    const caveat: fc.Arbitrary<Caveat> = fc.record({
      t: fc.constantFrom('op', 'path_prefix', '__proto__', 'größe'),
      v: fc.oneof(
        fc.maxSafeNat(),
        fc.string({ unit: 'grapheme', maxLength: 9 }),
        fc.constant({ from: [] }),
      ),
    })
    const blocks = fc.array(fc.array(caveat, { maxLength: 3 }), { maxLength: 4 })
    await fc.assert(
      fc.asyncProperty(blocks, async (added) => {
        const key = await newKey()
        let text = assemble(grantFor(key.publicKey), key)
        for (const caveats of added) text = await attenuate(text, caveats)
        const open = verified(text)
        expect(open.blocks.map((block) => block.caveats)).toEqual([[], ...added])
        expect('seed' in open.last).toBe(true)
        const shut = verified(await seal(text))
        expect(shut.blocks).toEqual(open.blocks)
        expect('seal' in shut.last).toBe(true)
        expect(await inspectUnverified(text)).toEqual({
          authority: open.authority,
          caveats: [[], ...added],
          handles: open.blocks.map(({ handle }) => handle),
          sealed: false,
        })
      }),
      { numRuns: 20 },
    )
  })

  it('can narrow a token in two ways from one', async () => {
    const text = tokenText(chain(1))
    const [one, two] = [await attenuate(text, []), await attenuate(text, [])]
    expect(verified(one).blocks.slice(0, 2)).toEqual(verified(two).blocks.slice(0, 2))
    expect(one).not.toBe(two)
  })

  it('proves that it has the key, also with one that cannot be exported', async () => {
    const pair = (await crypto.subtle.generateKey('Ed25519', false, ['sign'])) as CryptoKeyPair
    const raw = new Uint8Array(await crypto.subtle.exportKey('raw', pair.publicKey))
    const kept = { publicKey: toBase64url(raw), privateKey: pair.privateKey }
    for (const holder of [kept, await newKey()]) {
      const token = tokenText(chain(0, { cnf: holder.publicKey }))
      const about = { audience: CELL, nonce: 'n1', time: 7, request: { op: 'read', bytes: 1 } }
      const { key, nonce, signature, time } = await prove(token, holder, about)
      expect({ key, nonce, time }).toEqual({ key: holder.publicKey, nonce: 'n1', time: 7 })
      const message = proofMessage({ token, ...about })
      const cnf = ed25519ChainKey(fromBase64url(key) as Uint8Array)
      expect(verifyEd25519(cnf, message, fromBase64url(signature) as Uint8Array)).toBe(true)
    }
  })
})

describe('a holder is told', () => {
  it('that a grant is for another key, or none', async () => {
    const key = await newKey()
    const grant = grantFor(linkOf(0).publicKey)
    expect(await codeOf(() => assemble(grant, key))).toBe('wrong_key')
    expect(await codeOf(() => assemble({ ...grant, payload: 'e30' }, key))).toBe('malformed')
    expect(await codeOf(() => assemble({ ...grant, payload: 'e30=' }, key))).toBe('malformed')
    const shut = { ...linkOf(0), privateKey: toBase64url(new Uint8Array(64)) }
    expect(await codeOf(() => assemble(grant, shut))).toBe('malformed')
    const refused = undefined as unknown as Grant
    expect(await codeOf(() => assemble(refused, key))).toBe('malformed')
  })

  it('that nothing is added after a seal', async () => {
    const shut = await seal(tokenText(chain(1)))
    expect(await codeOf(() => attenuate(shut, []))).toBe('sealed')
    expect(await codeOf(() => seal(shut))).toBe('sealed')
    expect((await inspectUnverified(shut)).sealed).toBe(true)
  })

  it('that a token is as large as one can be', async () => {
    const full = tokenText(chain(MAX_BLOCKS - 1))
    expect(await codeOf(() => attenuate(full, []))).toBe('too_large')
    expect(await codeOf(() => attenuate(tokenText(chain(MAX_BLOCKS)), []))).toBe('too_large')
    const long = [{ t: 'purpose', v: 'x'.repeat(12_400) }]
    expect(await codeOf(() => attenuate(tokenText(chain(0)), long))).toBe('too_large')
    expect(await codeOf(() => seal(full))).toBe('made')
  })

  it.each<[string, Caveat]>([
    ['without a type', { t: '', v: 1 }],
    ['with a type too long', { t: 'x'.repeat(65), v: 1 }],
    ['without a value', { t: 'x' }],
    ['too deep', { t: 'x', v: [[[[[[[[[[]]]]]]]]]] }],
    ['with an unsafe integer', { t: 'x', v: 2 ** 53 }],
  ])('that a caveat is none: %s', async (_, caveat) => {
    expect(await codeOf(() => attenuate(tokenText(chain(0)), [caveat]))).toBe('malformed')
  })

  it.each([
    ['nothing', ''],
    ['another version', tokenText(chain(0)).replace('cap1', 'cap2')],
    ['a cut one', tokenText(chain(0)).slice(0, -10)],
    ['one without its last part', tokenText(chain(1)).replace(/\.[^.]*$/, '')],
    ['one with a last part of another size', tokenText({ ...chain(0), last: new Uint8Array(8) })],
    [
      'one whose added block is none',
      tokenText(chain(1)).replace(/^((?:[^.]+\.){3})[^.]+/, '$1e30'),
    ],
  ])('that a token is none: %s', async (_, text) => {
    expect(await codeOf(() => inspectUnverified(text))).toBe('malformed')
    expect(await codeOf(() => attenuate(text, []))).toBe('malformed')
    expect(await codeOf(() => seal(text))).toBe('malformed')
  })
})
