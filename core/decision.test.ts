import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeStored, encodeStored } from './decision.ts'

const digits = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length })
const field = fc.stringMatching(/^(?:request|payload|verdict|output|facts\.[a-z_]{1,12})$/)
const text = fc.oneof(
  fc.string({ unit: 'grapheme' }).map((value) => JSON.stringify(value)),
  fc.jsonValue().map((value) => JSON.stringify(value, undefined, 1)),
)
const openings = fc.dictionary(field, fc.record({ json: text, salt: digits(32) }), {
  noNullPrototype: true,
})

describe('the row of a decision', () => {
  it('gives back every text, salt and hash', () => {
    fc.assert(
      fc.property(digits(64), openings, (hash, opened) => {
        const stored = { hash, openings: opened }
        expect(decodeStored(encodeStored(stored))).toEqual(stored)
      }),
    )
  })

  it('holds no opening once they are erased', () => {
    const hash = 'ab'.repeat(32)
    expect(decodeStored(encodeStored({ hash }))).toEqual({ hash })
  })
})
