import fc from 'fast-check'
import { expect, test } from 'vitest'
import { utf8 } from './utf8.ts'

test('gives the bytes of each text, and to each its own', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.integer({ min: 1, max: 60_000 }).map((length) => 'é€😀a'.repeat(length / 4)),
  )
  fc.assert(
    fc.property(fc.array(text, { maxLength: 40 }), (texts) => {
      const all = texts.map(utf8)
      for (const [i, bytes] of all.entries())
        expect(Buffer.compare(bytes, new TextEncoder().encode(texts[i]))).toBe(0)
      for (const bytes of all) bytes.fill(0xff)
      const [first = new Uint8Array(), ...others] = texts.map(utf8)
      first.fill(0xff)
      for (const [i, bytes] of others.entries())
        expect(Buffer.compare(bytes, new TextEncoder().encode(texts[i + 1]))).toBe(0)
    }),
  )
})

test('short texts share a buffer, long ones do not', () => {
  const [a, b] = [utf8('a'), utf8('b')]
  expect(a.buffer).toBe(b.buffer)
  expect(utf8('c'.repeat(100_000)).buffer).not.toBe(a.buffer)
})
