import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../canonical.ts'
import { LogError } from '../error.ts'
import type { Json } from '../json.ts'
import {
  commitment,
  decodeLeaf,
  encodeLeaf,
  encodeOwnLeaf,
  leafHash,
  MAX_LEAF_BYTES,
} from './leaf.ts'
import {
  type CountsLeaf,
  type DecisionLeaf,
  isCommitmentField,
  type KeyLeaf,
  type Leaf,
} from './leaves.ts'

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const text = (maxLength: number) => fc.string({ unit: 'binary', maxLength: maxLength / 2 })
const seconds = fc.nat({ max: Number.MAX_SAFE_INTEGER })
const field = fc.oneof(
  fc.constantFrom('request', 'payload', 'verdict'),
  fc.stringMatching(/^facts\.[A-Za-z0-9_.-]{1,64}$/),
)
const decision: fc.Arbitrary<DecisionLeaf> = fc.record(
  {
    type: fc.constant('assay.decision/v1' as const),
    time: seconds,
    mode: fc.constant('development' as const),
    revision: text(128),
    id: hex(32),
    policy: fc.oneof(
      fc.constant('none'),
      hex(64).map((digest) => `sha256:${digest}`),
    ),
    reasons: fc.array(
      fc.record({ rule: text(128), code: fc.stringMatching(/^(kernel\/)?[a-z][a-z0-9_]{0,60}$/) }),
      { maxLength: 5 },
    ),
    commitments: fc.dictionary(field, fc.stringMatching(/^[A-Za-z0-9_-]{43}$/), {
      noNullPrototype: true,
    }),
    allow: fc.boolean(),
    action: text(256),
  },
  {
    requiredKeys: [
      'type',
      'time',
      'revision',
      'id',
      'policy',
      'reasons',
      'commitments',
      'allow',
      'action',
    ],
    noNullPrototype: true,
  },
) as fc.Arbitrary<DecisionLeaf>
const counts: fc.Arbitrary<CountsLeaf> = fc.record(
  {
    to: fc.constant(Number.MAX_SAFE_INTEGER),
    type: fc.constant('assay.counts/v1' as const),
    kind: fc.constantFrom('checks' as const, 'refused' as const),
    from: seconds,
    counts: fc.array(
      fc.record(
        { source: text(128), count: fc.integer({ min: 1 }), code: text(80) },
        { noNullPrototype: true },
      ),
    ),
  },
  { noNullPrototype: true },
)
const vkey = fc.stringMatching(/^[!-~]{1,200}$/)
const rotation: fc.Arbitrary<KeyLeaf> = fc.record(
  {
    time: seconds,
    type: fc.constant('assay.key/v1' as const),
    retired: vkey,
    next: vkey,
    lastTrustedSize: fc.bigInt({ min: 0n, max: 2n ** 62n }).map(String),
  },
  { noNullPrototype: true },
)
const leaves: fc.Arbitrary<Leaf> = fc.oneof(decision, counts, rotation)

const sample: DecisionLeaf = {
  type: 'assay.decision/v1',
  id: '00112233445566778899aabbccddeeff',
  time: 1_700_000_000,
  action: 'access.evaluate',
  allow: false,
  reasons: [{ code: 'no_role', rule: 'assay.access.deny' }],
  policy: `sha256:${'ab'.repeat(32)}`,
  revision: 'none',
  commitments: { request: 'A'.repeat(43), 'facts.subject': 'B'.repeat(43) },
}

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'accepted'
  } catch (error) {
    expect(error).toBeInstanceOf(LogError)
    return (error as LogError).code
  }
}

describe('leaves', () => {
  it('are canonical JSON and read back', () => {
    fc.assert(
      fc.property(leaves, (leaf) => {
        const encoded = encodeLeaf(leaf)
        expect(encoded).toBe(canonicalJson(leaf as unknown as Json))
        expect(decodeLeaf(encoded)).toEqual(leaf)
        expect(decodeLeaf(new TextEncoder().encode(encoded))).toEqual(leaf)
      }),
    )
  })

  it('of the kernel itself are what anybody would have written', () => {
    fc.assert(
      fc.property(decision, (leaf) => {
        const ordered = JSON.parse(encodeLeaf(leaf)) as DecisionLeaf
        expect(encodeOwnLeaf(ordered)).toBe(encodeLeaf(leaf))
      }),
    )
    const half = { ...sample, action: '\ud800' }
    expect(codeOf(() => encodeOwnLeaf(half))).toBe('malformed')
    const long = { ...sample, action: 'a'.repeat(MAX_LEAF_BYTES) }
    expect(codeOf(() => encodeOwnLeaf(long))).toBe('too_large')
  })

  it('are never read otherwise than they are written', () => {
    const changes = fc.array(
      fc.tuple(fc.nat(), fc.constantFrom('', ' ', '0', '"', '{', '\\', 'é', ',')),
    )
    fc.assert(
      fc.property(leaves, changes, (leaf, edits) => {
        let changed = encodeLeaf(leaf)
        for (const [place, piece] of edits) {
          const at = place % changed.length
          changed = changed.slice(0, at) + piece + changed.slice(at + 1)
        }
        const code = codeOf(() => decodeLeaf(changed))
        if (code === 'accepted') expect(encodeLeaf(decodeLeaf(changed))).toBe(changed)
        else expect(code).toBe('malformed')
      }),
      { numRuns: 1000 },
    )
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void codeOf(() => decodeLeaf(bytes))))
  })

  it('refuse every wrong member', () => {
    const wrong: readonly object[] = [
      { ...sample, type: 'assay.decision/v2' },
      { ...sample, extra: 1 },
      { ...sample, id: sample.id.toUpperCase() },
      { ...sample, id: sample.id.slice(1) },
      { ...sample, time: -1 },
      { ...sample, time: 1.5 },
      { ...sample, time: '1700000000' },
      { ...sample, allow: 'true' },
      { ...sample, reasons: [{ code: 'No_Role', rule: '' }] },
      { ...sample, reasons: [{ code: 'no_role', rule: '', message: 'secret' }] },
      { ...sample, policy: 'sha256:00' },
      { ...sample, mode: 'production' },
      { ...sample, commitments: { request: 'A'.repeat(42) } },
      { ...sample, commitments: { other: 'A'.repeat(43) } },
      { ...sample, commitments: { 'facts.': 'A'.repeat(43) } },
      { ...sample, action: '\ud800' },
      { type: 'assay.counts/v1', kind: 'refused', from: 2, to: 1, counts: [] },
      { type: 'assay.counts/v1', kind: 'other', from: 1, to: 1, counts: [] },
      { type: 'assay.key/v1', time: 1, retired: 'a', next: 'b\n', lastTrustedSize: '1' },
      { type: 'assay.key/v1', time: 1, retired: 'a', next: 'b', lastTrustedSize: '01' },
      {
        type: 'assay.counts/v1',
        kind: 'checks',
        from: 1,
        to: 1,
        counts: [{ source: 'a', code: 'b', count: 0 }],
      },
      [],
      {},
    ]
    expect(codeOf(() => encodeLeaf(sample))).toBe('accepted')
    for (const leaf of wrong) {
      expect(codeOf(() => encodeLeaf(leaf as Leaf))).toBe('malformed')
      expect(codeOf(() => decodeLeaf(JSON.stringify(leaf)))).toBe('malformed')
    }
    for (const member of Object.keys(sample)) {
      const { [member as keyof DecisionLeaf]: _, ...rest } = sample
      expect(codeOf(() => encodeLeaf(rest as Leaf))).toBe('malformed')
    }
  })

  it('keep an escaped backslash before "ud"', () => {
    const leaf = { ...sample, action: '\\ud800' }
    expect(decodeLeaf(encodeLeaf(leaf))).toEqual(leaf)
  })

  it('have at most 65,535 bytes', () => {
    const row = { source: 'é'.repeat(128), code: 'c'.repeat(80), count: 1 }
    const leaf = (n: number, last: number): CountsLeaf => ({
      type: 'assay.counts/v1',
      kind: 'refused',
      from: 0,
      to: 0,
      counts: [...Array.from({ length: n }, () => row), { ...row, source: 's'.repeat(last) }],
    })
    const bytes = (value: Leaf) =>
      new TextEncoder().encode(canonicalJson(value as unknown as Json)).length
    let rows = 0
    while (bytes(leaf(rows + 1, 1)) <= MAX_LEAF_BYTES) rows++
    const spare = MAX_LEAF_BYTES - bytes(leaf(rows, 1))
    const fits = { ...leaf(rows, 1), counts: [...leaf(rows, Math.min(128, 1 + spare)).counts] }
    expect(codeOf(() => encodeLeaf(fits))).toBe('accepted')
    expect(codeOf(() => encodeLeaf(leaf(rows + 1, 128)))).toBe('too_large')
    expect(codeOf(() => decodeLeaf(new Uint8Array(MAX_LEAF_BYTES + 1)))).toBe('too_large')
    expect(codeOf(() => decodeLeaf('é'.repeat(MAX_LEAF_BYTES / 2 + 1)))).toBe('too_large')
  })
})

describe('hashes', () => {
  it('prefix a leaf with zero', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (leaf) => {
        const bytes = new TextEncoder().encode(leaf)
        const known = createHash('sha256')
          .update(Uint8Array.of(0, ...bytes))
          .digest()
        expect(leafHash(leaf)).toEqual(Uint8Array.from(known))
        expect(leafHash(bytes)).toEqual(Uint8Array.from(known))
      }),
    )
  })

  it('commit to domain, field, salt and text', () => {
    const salt = '0123456789abcdef0123456789abcdef'
    const known = createHash('sha256').update(`assay.commitment/v1\nrequest\n${salt}\n{"a":1}`)
    expect(commitment('request', salt, '{"a":1}')).toBe(known.digest('base64url'))
    for (const [name, bad] of [
      ['request\n', salt],
      ['request', salt.slice(1)],
      ['request', salt.toUpperCase()],
      ['request', `${salt.slice(1)}\n`],
    ] as const)
      expect(codeOf(() => commitment(name, bad, 'null'))).toBe('malformed')
    expect(isCommitmentField('facts.subject')).toBe(true)
    expect(isCommitmentField('facts')).toBe(false)
  })
})
