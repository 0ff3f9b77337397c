/** The committed vectors and schemas: made again they are the same, they are complete, and the code does what they say. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it, vi } from 'vitest'
import { sha256 as nodeSha256, toHex } from '../core/crypto.ts'
import type { Json } from '../core/json.ts'
import { formatAnchor, parseAnchor, type TrustAnchor } from '../core/log/anchor.ts'
import { decodeLeaf, encodeLeaf, leafHash } from '../core/log/leaf.ts'
import { formatReceipt, parseReceipt, verifyReceipt } from '../core/log/receipt.ts'
import { schema } from '../core/schema.ts'
import { type LeafVector, type ReceiptVector, vectorFiles } from '../scripts/make-vectors.ts'
import { codeOf } from './log.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string): Json => JSON.parse(readFileSync(join(root, path), 'utf8')) as Json

const text = (maxLength: number) => schema.string({ maxLength })
const leafFile = schema.object({
  about: text(100),
  cases: schema.array(
    schema.object(
      { name: text(64), reason: text(200), text: text(70_000), expect: text(16) },
      { hash: text(64) },
    ),
  ),
})
const anchor = schema.object({
  type: text(64),
  origin: text(64),
  keys: schema.array(schema.object({ vkey: text(200), from: text(19) }, { to: text(19) })),
})
const receiptFile = schema.object({
  about: text(100),
  trust: anchor,
  cases: schema.array(
    schema.object(
      {
        name: text(64),
        reason: text(200),
        expect: schema.literal('invalid', 'valid'),
        failed: schema.array(text(64)),
        receipt: schema.object(
          { type: text(64), leaf: text(70_000), proof: text(10_000) },
          { openings: schema.record(schema.object({ salt: text(64), json: text(1000) })) },
        ),
      },
      { trust: anchor },
    ),
  ),
})

const leaves = read('test/vectors/leaf.json') as unknown as { cases: LeafVector[] }
const receipts = read('test/vectors/receipt.json') as unknown as {
  trust: TrustAnchor
  cases: ReceiptVector[]
}

describe('vectors and schemas', () => {
  it('are what scripts/make-vectors.ts writes: run it after a change', async () => {
    for (const [path, made] of await vectorFiles())
      expect([path, readFileSync(join(root, path), 'utf8')]).toEqual([path, made])
  })

  it('have no field that nobody reads', () => {
    expect(leafFile.problem(leaves, '')).toBeUndefined()
    expect(receiptFile.problem(receipts, '')).toBeUndefined()
    const [first, ...rest] = leaves.cases
    const extra = { ...leaves, cases: [{ ...first, expects: 'ok' }, ...rest] }
    expect(leafFile.problem(extra, '')).toBe('/cases/0/expects: expected no such member')
  })

  it('have names of their own', () => {
    for (const { cases } of [leaves, receipts])
      expect(new Set(cases.map(({ name }) => name)).size).toBe(cases.length)
  })
})

describe('leaf vectors', () => {
  it.each(leaves.cases)('$name: $reason', ({ text, expect: expected, hash }) => {
    if (expected !== 'ok') return expect(codeOf(() => decodeLeaf(text))).toBe(expected)
    expect(encodeLeaf(decodeLeaf(text))).toBe(text)
    expect(toHex(leafHash(text))).toBe(hash)
  })
})

describe('receipt vectors', () => {
  it.each(receipts.cases)('$name: $reason', ({ receipt, trust, expect: expected, failed }) => {
    const anchor = parseAnchor(formatAnchor(trust ?? receipts.trust))
    expect(parseReceipt(formatReceipt(receipt))).toEqual(receipt)
    const verified = verifyReceipt(receipt, anchor)
    expect(verified.checks.filter(({ ok }) => !ok).map(({ name }) => name)).toEqual(failed)
    expect(verified.ok).toBe(expected === 'valid')
  })

  it('verify alike without node:crypto, as in a browser', async () => {
    vi.resetModules()
    vi.stubGlobal('process', {})
    const browser = await import('../core/log/receipt.ts')
    const { sha256 } = await import('../core/crypto.ts')
    vi.unstubAllGlobals()
    expect(sha256.name).not.toBe(nodeSha256.name)
    for (const { receipt, trust } of receipts.cases) {
      const anchor = trust ?? receipts.trust
      expect(browser.verifyReceipt(receipt, anchor)).toEqual(verifyReceipt(receipt, anchor))
    }
  })

  it('fail every check at least once', () => {
    const names = new Set(receipts.cases.flatMap(({ failed }) => failed))
    for (const name of ['leaf', 'proof', 'origin', 'signature', 'inclusion', 'verdict'])
      expect(names).toContain(name)
    expect([...names].some((name) => name.startsWith('opening/'))).toBe(true)
  })
})

describe('schemas', () => {
  const ajv = new Ajv2020({ strict: true })
  const validators = new Map(
    ['leaf', 'receipt', 'trust'].map((name) => [
      name,
      ajv.compile(read(`core/log/${name}.schema.json`) as object),
    ]),
  )
  const valid = (name: string, value: unknown): boolean => validators.get(name)!(value) as boolean

  it('take what the code takes', () => {
    for (const { text, expect: expected } of leaves.cases)
      if (expected === 'ok') expect(valid('leaf', JSON.parse(text))).toBe(true)
    for (const { receipt, trust } of receipts.cases) {
      expect(valid('receipt', receipt)).toBe(true)
      expect(valid('trust', trust ?? receipts.trust)).toBe(true)
    }
  })

  it('refuse what is about members and types', () => {
    const named = new Set(
      'fraction,negative,text for time,unknown member,missing member,unknown type,upper case,short id,unknown field,field name,short commitment,message,zero,array'.split(
        ',',
      ),
    )
    const seen = leaves.cases.filter(({ name }) => named.has(name))
    expect(seen.length).toBe(named.size)
    for (const { text } of seen) expect(valid('leaf', JSON.parse(text))).toBe(false)
    const { receipt } = receipts.cases[0]!
    for (const bad of [{ ...receipt, extra: 1 }, { ...receipt, leaf: 1 }, {}])
      expect(valid('receipt', bad)).toBe(false)
    for (const bad of [{ ...receipts.trust, key: 1 }, { ...receipts.trust, keys: [{}] }, {}])
      expect(valid('trust', bad)).toBe(false)
  })
})
