import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../core/json.ts'
import { compiler } from '../../../test/rego.ts'
import { parseValue } from './json.ts'
import { decimal, integer } from './number.ts'
import { equal } from './order.ts'
import { formatTerm, parseTerm, writeTerm } from './term.ts'
import { objectOf, RegoObject, RegoSet, type Value } from './value.ts'

/** Of planes that no version of Unicode adds to any more, with what Go escapes among them. */
const text = fc.string({
  unit: fc.oneof(
    fc.constantFrom('"', '\\', '\x07', '\b', '\n', '\v', '\x1b', '\x7f', '\x85', '\xa0', '\xad'),
    fc.constantFrom('é', '漢', '😀', '\u200b', '\u2028', '\ufeff', '\ufffd', '\u{e0001}', '\ue000'),
    fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  ),
})
const number: fc.Arbitrary<Value> = fc.oneof(
  fc.maxSafeInteger(),
  fc.bigInt({ min: -(2n ** 80n), max: 2n ** 80n }).map(integer),
  fc
    .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.integer({ min: -30, max: 30 }))
    .map(([coefficient, exponent]) => decimal(coefficient, exponent)),
)
const scalar: fc.Arbitrary<Value> = fc.oneof(
  text,
  number,
  fc.boolean(),
  fc.constant(null),
  fc.constantFrom('__proto__', 'set()', '{}', ''),
)
const value = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    scalar,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 4 }).map((items) => RegoSet.of(items)),
    fc.array(fc.tuple(text, tie('value')), { maxLength: 4 }).map(objectOf),
    fc.array(fc.tuple(tie('value'), tie('value')), { maxLength: 4 }).map(objectOf),
  ),
})).value

test('what is written is read again, whatever it holds', () => {
  fc.assert(fc.property(value, (one) => equal(parseTerm(writeTerm(one)), one)))
})

test('a term of plain JSON is JSON, no digit lost', () => {
  fc.assert(
    fc.property(fc.jsonValue({ stringUnit: 'binary' }), (one) => {
      const json = JSON.stringify(one)
      expect(equal(parseTerm(json), parseValue(json))).toBe(true)
    }),
  )
})

test('names that JavaScript knows are keys like any other', () => {
  const read = parseTerm('{"__proto__": 1, "constructor": {2}}') as {
    readonly [key: string]: Value
  }
  expect(Object.keys(read)).toEqual(['__proto__', 'constructor'])
  expect(Object.getPrototypeOf(read)).toBe(Object.prototype)
  expect(writeTerm(read)).toBe('{"__proto__": 1, "constructor": {2}}')
})

test('empty and nested terms are told apart', () => {
  for (const [written, read] of [
    ['set()', new RegoSet()],
    ['{}', {}],
    ['{set()}', RegoSet.of([new RegoSet()])],
    ['{{}}', RegoSet.of([{}])],
    ['{[]: set()}', RegoObject.of([[[], new RegoSet()]])],
    ['[{1}, {1: 2}, {"1": 2}]', [RegoSet.of([1]), RegoObject.of([[1, 2]]), { 1: 2 }]],
  ] as const) {
    expect(equal(parseTerm(written), read as Value), written).toBe(true)
    expect(formatTerm(read as Value)).toBe(written)
  }
})

test('half a surrogate pair is U+FFFD', () => {
  expect(writeTerm('a\ud800')).toBe('"a\ufffd"')
})

test('a long text and a large term take no more than their length', () => {
  const items = Array.from({ length: 50_000 }, (_, i) => `\\"${i}`)
  const large = [items, items.join('\\'), RegoSet.of(items)]
  expect(equal(parseTerm(writeTerm(large)), large)).toBe(true)
})

test.each([
  '',
  ' ',
  '[',
  '[1',
  '[1,]',
  '{1',
  '{1:',
  '{1: 2',
  '{1, }',
  '"a',
  '"a\\"',
  '1 2',
  'nul',
  '01x',
  ',',
  '{,}',
])('%j is no term', (written) => {
  expect(() => parseTerm(written)).toThrow(SyntaxError)
})

describe('OPA prints the same', () => {
  const options = { capabilities: 'compat', entrypoint: 'p/decision' } as const
  /** `decision` is what OPA makes of each input. */
  const printed = async (rego: string, inputs: readonly Json[]) =>
    compiler.evaluate(
      { 'p.rego': `package p\n\ndecision := sprintf("%v", [${rego}])\n` },
      { ...options, inputs },
    )

  test('JSON', async () => {
    const plain = fc.jsonValue({ stringUnit: text as fc.Arbitrary<string> })
    const inputs = fc
      .sample(plain, { numRuns: 300, seed: 6 })
      .map((one) => ({ v: [JSON.parse(JSON.stringify(one)) as Json] }))
    const said = await printed('input.v', inputs)
    for (const [i, { v }] of inputs.entries()) expect(formatTerm(v as Value)).toBe(said[i]?.value)
  })

  test('sets, and keys that are not strings', async () => {
    const rego = '[{x | some x in input.v}, {x: {y | some y in input.v} | some x in input.v}]'
    const inputs = fc
      .sample(
        fc.uniqueArray(fc.oneof(text, fc.maxSafeInteger(), fc.boolean(), fc.constant(null))),
        {
          numRuns: 200,
          seed: 6,
        },
      )
      .map((v) => ({ v }))
    const said = await printed(rego, inputs)
    for (const [i, { v }] of inputs.entries()) {
      const set = RegoSet.of(v)
      const object = objectOf(v.map((one) => [one, set] as const))
      expect(formatTerm([set, object])).toBe(said[i]?.value)
    }
  })
})
