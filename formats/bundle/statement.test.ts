/** Who signs policies: keys of either algorithm, counted together, each by its own signature. */
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'
import { expect, test } from 'vitest'
import { formatVkey, signatureLine } from '../../core/log/note.ts'
import { BundleRefusal } from './refusal.ts'
import { importRoots, keyName, verifyStatement } from './statement.ts'

const text = 'assay.policy-bundle/v1\nscope policy\n'
const bytes = new TextEncoder().encode(text)
const secret = (fill: number): Uint8Array => new Uint8Array(32).fill(fill)

const first = ed25519.getPublicKey(secret(1))
const second = p256.getPublicKey(secret(2), false)
const keys = [formatVkey(keyName('a'), first), formatVkey(keyName('b'), second)]
const lines = [
  signatureLine(keyName('a'), first, ed25519.sign(bytes, secret(1))),
  signatureLine(keyName('b'), second, p256.sign(bytes, secret(2), { lowS: false })),
] as const

const codeOf = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return (error as BundleRefusal).code
  }
}

test('an Ed25519 and a P-256 key make two of two', () => {
  const roots = importRoots({ keys, threshold: 2 })
  expect(verifyStatement(text, lines, roots)).toEqual(keys)
  expect(codeOf(() => verifyStatement(text, [lines[1]], roots))).toBe('threshold_not_met')
})

test('a P-256 signature of another text is none, and a revoked P-256 key counts no more', () => {
  const other = p256.sign(new TextEncoder().encode('another\n'), secret(2), { lowS: false })
  const wrong = signatureLine(keyName('b'), second, other)
  const roots = importRoots({ keys, threshold: 1 })
  expect(codeOf(() => verifyStatement(text, [wrong], roots))).toBe('signature_invalid')
  const [, vkey = ''] = keys
  const without = importRoots({ keys, threshold: 1, revoked: [vkey] })
  expect(codeOf(() => verifyStatement(text, [lines[1]], without))).toBe('revoked_key')
})

test('a P-256 key of another scope is no policy root', () => {
  const log = formatVkey('log.example', second)
  expect(() => importRoots({ keys: [log], threshold: 1 })).toThrow(BundleRefusal)
  const others = [Buffer.from(second).toString('base64')]
  expect(codeOf(() => importRoots({ keys, threshold: 1, others }))).toBe('wrong_scope')
})
