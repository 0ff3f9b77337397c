/** Laws of tokens, on chains of any length: what is minted verifies, what is changed does not, and blocks can only be appended. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fromBase64url, toBase64url } from '../../core/crypto.ts'
import { type Json, parseJson } from '../../core/json.ts'
import {
  attenuationOf,
  authorityOf,
  CELL,
  chain,
  extended,
  linkOf,
  type Made,
  pairOf,
  pinned,
  sealed,
  tokenText,
} from '../../test/tokens.ts'
import {
  type Authority,
  authorityMessage,
  authorityPayload,
  type Caveat,
  type ChainKeys,
  FRESH_KEYS,
  MAX_BLOCKS,
  MAX_TOKEN_BYTES,
  readToken,
  type Token,
  verifyToken,
} from './index.ts'

const issuer = [pinned(CELL)]

function verdictOf(text: string): string {
  const token = readToken(text)
  return 'problem' in token ? token.problem : verifyToken(token, issuer)
}
function readable(text: string): Token {
  const token = readToken(text)
  if ('problem' in token) throw new Error(token.problem)
  return token
}

function isStrict(text: string): boolean {
  try {
    parseJson(text)
    return true
  } catch {
    return false
  }
}
const name = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !/\p{Cc}/u.test(text))
/** As a reader would give it, where the strict one reads it at all. */
const value: fc.Arbitrary<Json> = fc
  .json({ maxDepth: 4 })
  .filter((text) => isStrict(text))
  .map((text) => JSON.parse(text) as Json)
const caveat: fc.Arbitrary<Caveat> = fc.record({
  t: fc.oneof(fc.constantFrom('op', 'exp', '__proto__', 'constructor'), name),
  v: value,
})
const caveats = fc.array(caveat, { maxLength: 3 })
const fields: fc.Arbitrary<Partial<Authority>> = fc.record(
  {
    iss: name,
    aud: name,
    tenant: name,
    lease: name,
    gen: fc.maxSafeNat(),
    exp: fc.maxSafeNat(),
    caveats,
    cnf: fc.constant(pairOf('holder').publicKey),
  },
  { requiredKeys: [] },
)

/** A chain of random caveats, sealed or not. */
const made: fc.Arbitrary<Made> = fc
  .record({ fields, added: fc.array(caveats, { maxLength: 6 }), shut: fc.boolean() })
  .map((drawn) => {
    let token = chain(0, drawn.fields)
    for (const [i, each] of drawn.added.entries())
      token = extended(token, attenuationOf(i + 1, each), linkOf(i), linkOf(i + 1))
    return drawn.shut ? sealed(token) : token
  })

describe('what is minted', () => {
  it('verifies, and reads as it was written', () => {
    fc.assert(
      fc.property(made, (token) => {
        const text = tokenText(token)
        fc.pre(text.length <= MAX_TOKEN_BYTES)
        expect(verdictOf(text)).toBe('valid')
        const { blocks, text: kept } = readable(text)
        expect(kept).toBe(text)
        expect(blocks.map(({ payload }) => payload)).toEqual(token.blocks.map((b) => b.payload))
        expect(new Set(blocks.map(({ handle }) => handle)).size).toBe(blocks.length)
      }),
      { numRuns: 60 },
    )
  })

  it('is what authorityPayload writes, whatever the order of its fields', () => {
    fc.assert(
      fc.property(fields, (changes) => {
        const whole = authorityOf(changes)
        const turned = Object.fromEntries(
          Object.entries(whole).toReversed(),
        ) as unknown as Authority
        const payload = authorityPayload(turned)
        const signature = pairOf(CELL).sign(authorityMessage(payload))
        const token = readable(
          tokenText({ blocks: [{ payload, signature }], last: linkOf(0).seed }),
        )
        expect(token.authority).toEqual(whole)
        expect(verifyToken(token, issuer)).toBe('valid')
      }),
      { numRuns: 60 },
    )
  })

  it('takes any of the issuer keys, so that a cell can change its own', () => {
    const token = readable(tokenText(chain(1)))
    expect(verifyToken(token, [pinned('cell-A, the next'), pinned(CELL)])).toBe('valid')
    expect(verifyToken(token, [pinned('cell-A, the next')])).toBe('signature_invalid')
  })

  it.each<[string, Partial<Authority>]>([
    ['a name too long', { tenant: 'x'.repeat(257) }],
    ['a fraction', { exp: 1.5 }],
    ['a negative number', { gen: -1 }],
    ['a key that is none', { nk: 'key' }],
    ['a caveat without a value', { caveats: [{ t: 'a' }] }],
    ['a caveat of no type', { caveats: [{ t: '', v: 1 }] }],
    ['a caveat too deep', { caveats: [{ t: 'a', v: [[[[[[[[[[]]]]]]]]]] }] }],
    ['a payload too large', { caveats: [{ t: 'a', v: 'x'.repeat(MAX_TOKEN_BYTES) }] }],
  ])('never has %s', (_, changes) => {
    expect(() => authorityPayload(authorityOf(changes))).toThrow(TypeError)
  })
})

describe('what is changed', () => {
  it('never verifies: any bit of the text', () => {
    fc.assert(
      fc.property(fc.nat(3), fc.boolean(), fc.nat(), fc.nat(7), (added, shut, at, bit) => {
        const token = chain(added)
        const text = tokenText(shut ? sealed(token) : token)
        const i = at % text.length
        const changed = String.fromCharCode(text.charCodeAt(i) ^ (1 << bit))
        expect(verdictOf(text.slice(0, i) + changed + text.slice(i + 1))).not.toBe('valid')
      }),
      { numRuns: 400 },
    )
  })

  it('never verifies: any bit of the bytes, each signature and the last part among them', () => {
    const text = tokenText(sealed(chain(1)))
    const parts = text.split('.')
    for (const [i, part] of parts.entries()) {
      const bytes = i === 0 ? undefined : fromBase64url(part)
      for (let at = 0; at < (bytes?.length ?? 0); at += 7) {
        const changed = bytes!.map((byte, j) => (j === at ? byte ^ (1 << (at % 8)) : byte))
        const put = parts.with(i, toBase64url(changed)).join('.')
        expect(verdictOf(put), `part ${i}, byte ${at}`).not.toBe('valid')
      }
    }
  })

  it('is read without an error, whatever it is', () => {
    const junk = fc.string({ unit: fc.constantFrom(...'cap1.AQg_-{}="\n'), maxLength: 60 })
    fc.assert(
      fc.property(
        fc.oneof(
          junk,
          fc.string(),
          junk.map((text) => `cap1.${text}`),
        ),
        (text) => {
          expect(verdictOf(text)).not.toBe('valid')
        },
      ),
    )
  })
})

describe('blocks', () => {
  const chains = [chain(3), chain(2, { jti: 'token-2' }), chain(2, { lease: 'lease-2' })]
  const pool = chains.flatMap(({ blocks }) => blocks)
  /** Every way to hold one of these chains, or an ancestor of it. */
  const honest = new Set(
    chains.flatMap(({ blocks }) =>
      blocks.flatMap((_, i) => {
        const prefix = { blocks: blocks.slice(0, i + 1), last: linkOf(i).seed }
        return [tokenText(prefix), tokenText(sealed(prefix))]
      }),
    ),
  )
  const lasts = [0, 1, 2, 3]
    .map((i) => linkOf(i).seed)
    .concat(
      chains.flatMap(({ blocks }) =>
        blocks.map(
          (_, i) => sealed({ blocks: blocks.slice(0, i + 1), last: new Uint8Array() }).last,
        ),
      ),
    )

  it('of several tokens come to no token but those that were made', () => {
    expect([...honest].map(verdictOf)).toEqual([...honest].map(() => 'valid'))
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...pool), { minLength: 1, maxLength: 5 }),
        fc.constantFrom(...lasts),
        (blocks, last) => {
          const text = tokenText({ blocks, last })
          expect(verdictOf(text) === 'valid').toBe(honest.has(text))
        },
      ),
      { numRuns: 400 },
    )
  })

  it(`are at most ${MAX_BLOCKS}`, () => {
    expect(verdictOf(tokenText(sealed(chain(MAX_BLOCKS - 1))))).toBe('valid')
    expect(verdictOf(tokenText(chain(MAX_BLOCKS)))).toBe('too_large')
  })

  it('are verified one after the other: no key is imported that no signature vouches for', () => {
    const seen: Uint8Array[] = []
    const watched: ChainKeys = {
      publicKey: (seed) => FRESH_KEYS.publicKey(seed),
      verifyKey(key) {
        seen.push(key)
        return FRESH_KEYS.verifyKey(key)
      },
    }
    const token = readable(tokenText(chain(2)))
    expect(verifyToken(token, [pinned('cell-B')], watched)).toBe('signature_invalid')
    expect(seen).toEqual([])
    expect(verifyToken(token, issuer, watched)).toBe('valid')
    expect(seen).toEqual([0, 1].map((i) => fromBase64url(linkOf(i).publicKey)))
  })
})
