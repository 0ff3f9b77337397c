import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { codeOf } from '../../test/log.ts'
import type { TrustAnchor } from './anchor.ts'
import { decodeLeaf } from './leaf.ts'
import { formatReceipt, parseReceipt, policyInput, type Receipt, verifyReceipt } from './receipt.ts'

/** What each vector verifies to is tested with the vectors; here is what they do not say. */
const vectors = JSON.parse(
  readFileSync(new URL('../../test/vectors/receipt.json', import.meta.url), 'utf8'),
) as { trust: TrustAnchor; cases: { name: string; receipt: Receipt }[] }
const receiptOf = (name: string): Receipt =>
  vectors.cases.find((each) => each.name === name)!.receipt
const whole = receiptOf('whole')

describe('receipts', () => {
  it('are written for people and read back', () => {
    const text = formatReceipt(whole)
    expect(text.endsWith('}\n')).toBe(true)
    expect(text.split('\n').length).toBeGreaterThan(10)
    expect(parseReceipt(text)).toEqual(whole)
    expect(parseReceipt(new TextEncoder().encode(text))).toEqual(whole)
    expect(parseReceipt(JSON.stringify(receiptOf('erased')))).toEqual(receiptOf('erased'))
    expect(formatReceipt(receiptOf('erased'))).not.toContain('openings')
  })

  it('have a closed form', () => {
    const bad: readonly unknown[] = [
      null,
      [],
      'text',
      { ...whole, type: 'assay.receipt/v2' },
      { ...whole, extra: 1 },
      { ...whole, leaf: decodeLeaf(whole.leaf) },
      { ...whole, proof: undefined },
      { ...whole, openings: [] },
      { ...whole, openings: { request: { salt: '0'.repeat(31), json: '1' } } },
      { ...whole, openings: { request: { salt: '0'.repeat(32) } } },
      { ...whole, openings: { request: { salt: '0'.repeat(32), json: '1', extra: 1 } } },
      { ...whole, leaf: 'x'.repeat(65_536) },
    ]
    for (const value of bad)
      expect(codeOf(() => parseReceipt(JSON.stringify(value)))).toBe('malformed')
    const twice = formatReceipt(whole).replace('{', '{"leaf":"",')
    for (const text of ['', twice, `\ufeff${formatReceipt(whole)}`, formatReceipt(whole).slice(1)])
      expect(codeOf(() => parseReceipt(text))).toBe('malformed')
  })

  it('never verify after a change, and never throw', () => {
    const text = formatReceipt(whole)
    const change = fc.tuple(fc.nat(), fc.string({ maxLength: 2 }))
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 2 }), (changes) => {
        let changed = text
        for (const [place, piece] of changes) {
          const at = place % changed.length
          changed = changed.slice(0, at) + piece + changed.slice(at + 1)
        }
        if (codeOf(() => parseReceipt(changed)) !== 'accepted') return
        const receipt = parseReceipt(changed)
        const same = JSON.stringify(receipt) === JSON.stringify(whole)
        expect(verifyReceipt(receipt, vectors.trust).ok).toBe(same)
      }),
      { numRuns: 3000 },
    )
  })

  it('report nonsense instead of throwing', () => {
    for (const nonsense of [
      {},
      { leaf: 7 },
      { leaf: whole.leaf, proof: null, openings: { x: null } },
    ]) {
      const verified = verifyReceipt(nonsense as unknown as Receipt, vectors.trust)
      expect(verified.ok).toBe(false)
      expect(verified.checks.some(({ ok }) => !ok)).toBe(true)
    }
  })

  it('tell what was verified', () => {
    const verified = verifyReceipt(whole, vectors.trust)
    expect(verified).toMatchObject({
      ok: true,
      index: 10n,
      size: 11n,
      origin: vectors.trust.origin,
    })
    expect(verified.leaf).toEqual(decodeLeaf(whole.leaf))
    expect(verified.checks.map(({ name }) => name)).toEqual([
      'leaf',
      'proof',
      'origin',
      'signature',
      'inclusion',
      'opening/facts.claimed',
      'opening/facts.subject',
      'opening/request',
      'opening/verdict',
      'verdict',
    ])
    const erased = verifyReceipt(receiptOf('erased'), vectors.trust)
    expect(erased.checks.filter(({ detail }) => detail.startsWith('erased')).length).toBe(4)
  })
})

describe('policyInput', () => {
  it('is what the policy was asked, to the byte', () => {
    const text =
      '{"facts":{"claimed":{"department":"research"},"subject":{"found":true,"roles":["researcher"]}},"now":1700000100,"request":{"subject":{"id":"alice","type":"user"}}}'
    expect(policyInput(whole)).toEqual({ text, value: JSON.parse(text) })
  })

  it('is gone when a part of it is', () => {
    expect(policyInput(receiptOf('erased'))).toBeUndefined()
    expect(policyInput(receiptOf('partly erased'))).toBeUndefined()
    const { request: _, ...rest } = whole.openings!
    expect(policyInput({ ...whole, openings: rest })).toBeUndefined()
    expect(policyInput({ ...whole, leaf: '{}' })).toBeUndefined()
    const { verdict: __, ...asked } = whole.openings!
    expect(policyInput({ ...whole, openings: asked })).toBeDefined()
  })

  it('is not made of openings that are no JSON, or that hide a second member', () => {
    for (const json of ['', '1,"request":2', '{"a":1,"a":2}', '1}', '"\ud800"']) {
      const openings = { ...whole.openings, request: { salt: '0'.repeat(32), json } }
      expect(policyInput({ ...whole, openings })).toBeUndefined()
    }
  })
})
