import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeOf, testSigner, utf8 } from '../../test/log.ts'
import { formatAnchor, parseAnchor, type TrustAnchor, verifyHead } from './anchor.ts'
import { formatCheckpoint } from './checkpoint.ts'
import { formatVkey, signNote } from './note.ts'

const origin = 'log.example/a'
const vkey = (seed: number, name = origin) => formatVkey(name, testSigner(seed).publicKey)
const anchor: TrustAnchor = { type: 'assay.trust/v1', origin, keys: [{ vkey: vkey(1), from: '0' }] }
const root = new Uint8Array(32).fill(9)

async function head(size: bigint, seeds: readonly number[], name = origin): Promise<Uint8Array> {
  const text = formatCheckpoint({ origin, size, root })
  const lines = await Promise.all(
    seeds.map(async (seed) => {
      const { publicKey, sign } = testSigner(seed)
      const note = await signNote(text, name, publicKey, sign)
      return new TextDecoder().decode(note).slice(text.length + 1)
    }),
  )
  return utf8(`${text}\n${lines.join('')}`)
}

describe('parseAnchor', () => {
  it('reads what is written', () => {
    const whole: TrustAnchor = {
      ...anchor,
      keys: [
        { vkey: vkey(1), from: '0', to: '9' },
        { vkey: vkey(2), from: '9' },
      ],
      policyRoots: ['a', 'b', 'c'],
      policyThreshold: 2,
      witnesses: 'witness w ...\nquorum none\n',
      development: true,
      note: 'for a test',
    }
    for (const value of [anchor, whole]) expect(parseAnchor(formatAnchor(value))).toEqual(value)
    expect(parseAnchor(utf8(formatAnchor(anchor)))).toEqual(anchor)
  })

  it('refuses every anchor that could be read in two ways or trusts nothing', () => {
    const [key] = anchor.keys
    const bad: readonly object[] = [
      { ...anchor, type: 'assay.trust/v2' },
      { ...anchor, extra: 1 },
      { ...anchor, origin: '' },
      { ...anchor, origin: 'a\nb' },
      { ...anchor, keys: [] },
      { ...anchor, keys: [key, key] },
      { ...anchor, keys: [{ ...key, to: '1', from: '2' }] },
      { ...anchor, keys: [{ ...key, from: '01' }] },
      { ...anchor, keys: [{ ...key, from: 0 }] },
      { ...anchor, keys: [{ ...key, to: '9223372036854775808' }] },
      { ...anchor, keys: [{ ...key, from: '9999999999999999999' }] },
      { ...anchor, keys: [{ vkey: key?.vkey }] },
      { ...anchor, keys: [{ ...key, vkey: `${key?.vkey}x` }] },
      {
        ...anchor,
        keys: [{ ...key, vkey: formatVkey('w', testSigner(1).publicKey, 'cosignature') }],
      },
      { ...anchor, development: false },
      { ...anchor, policyRoots: ['a'], policyThreshold: 2 },
      { ...anchor, policyThreshold: 2 },
      { ...anchor, policyThreshold: 0 },
    ]
    for (const value of bad)
      expect(codeOf(() => parseAnchor(JSON.stringify(value)))).toBe('malformed')
    const twice = JSON.stringify(anchor).replace('{', '{"origin":"other",')
    for (const text of ['', 'null', '[]', twice, `${formatAnchor(anchor)}x`])
      expect(codeOf(() => parseAnchor(text))).toBe('malformed')
    const weak = {
      ...anchor,
      keys: [{ vkey: formatVkey('w', Uint8Array.of(1, ...new Uint8Array(31))), from: '0' }],
    }
    expect(codeOf(() => parseAnchor(JSON.stringify(weak)))).toBe('weak_key')
  })

  it('answers changed bytes with a LogError', () => {
    const good = utf8(formatAnchor(anchor))
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat({ max: 255 }))), (changes) => {
        const bytes = good.slice()
        for (const [place, value] of changes) bytes[place % bytes.length] = value
        codeOf(() => parseAnchor(bytes))
      }),
    )
  })
})

describe('verifyHead', () => {
  const rotated: TrustAnchor = {
    ...anchor,
    keys: [
      { vkey: vkey(1), from: '0', to: '100' },
      { vkey: vkey(2), from: '90' },
    ],
  }

  it('believes a key within its range of sizes, ends included', async () => {
    const trusted: readonly [bigint, number[]][] = [
      [0n, [1]],
      [89n, [1]],
      [90n, [1]],
      [90n, [2]],
      [95n, [1, 2]],
      [100n, [1]],
      [101n, [2]],
      [101n, [1, 2]],
      [2n ** 63n - 1n, [3, 2]],
    ]
    for (const [size, seeds] of trusted)
      expect(verifyHead(await head(size, seeds), rotated)).toEqual({ origin, size, root })
    for (const [size, seeds] of [
      [89n, [2]],
      [101n, [1]],
      [50n, [3]],
    ] as const) {
      const note = await head(size, seeds)
      expect(codeOf(() => verifyHead(note, rotated))).toBe('untrusted_key')
    }
  })

  it('refuses another log, and a bad line of a key that counts', async () => {
    const note = await head(5n, [1])
    expect(codeOf(() => verifyHead(note, { ...anchor, origin: 'log.example/b' }))).toBe(
      'untrusted_key',
    )
    const text = new TextDecoder().decode(note)
    expect(codeOf(() => verifyHead(utf8(text.replace('\n5\n', '\n6\n')), anchor))).toBe(
      'signature_invalid',
    )
    expect(codeOf(() => verifyHead(utf8('x'), anchor))).toBe('malformed')
    expect(codeOf(() => verifyHead(utf8('not a head\n\n— a AAAAAAAA\n'), anchor))).toBe('malformed')
  })

  it('takes a key with another name than the origin', async () => {
    const named = { ...anchor, keys: [{ vkey: vkey(1, 'key.example'), from: '0' }] }
    expect(verifyHead(await head(5n, [1], 'key.example'), named).size).toBe(5n)
    const note = await head(5n, [1])
    expect(codeOf(() => verifyHead(note, named))).toBe('untrusted_key')
  })
})
