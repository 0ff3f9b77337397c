/** Values of Rego for property tests: all types, nested, and the numbers and texts at which implementations differ. */
import fc from 'fast-check'
import { readNumber } from '../adapters/engine/value/number.ts'
import { objectOf, RegoSet, type Value } from '../adapters/engine/value/value.ts'

const NUMBERS: readonly string[] = [
  '0',
  '1',
  '-1',
  '2',
  '3',
  '7',
  '10',
  '16',
  '255',
  '0.1',
  '0.2',
  '0.5',
  '-0.5',
  '1.5',
  '-1.5',
  '2.5',
  '0.001',
  '1e-7',
  '123.456',
  '4294967296',
  '9007199254740991',
  '9007199254740993',
  '-9223372036854775808',
  '18446744073709551616',
  '1e21',
  '1e30',
  '123456789012345678901234567890',
  '0.30000000000000000001',
  '1.7976931348623157e308',
  '1e-320',
  '12345678901234567890.5',
]

export const numbers: fc.Arbitrary<Value> = fc.oneof(
  { weight: 2, arbitrary: fc.integer({ min: -5, max: 20 }) },
  fc.constantFrom(...NUMBERS).map((text) => readNumber(text) as Value),
  fc
    .tuple(fc.bigInt({ min: -(10n ** 22n), max: 10n ** 22n }), fc.integer({ min: -20, max: 20 }))
    .map(([digits, power]) => readNumber(`${digits}e${power}`) as Value),
  fc.integer(),
)

export const texts: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    '',
    'a',
    'b',
    'ab',
    'abc',
    'aba',
    'x.y',
    '/',
    'a/b',
    'é',
    '日本',
    '😀',
    'a😀b',
    'İ',
    'ß',
    'ǆ',
    ' a ',
    '\t\n',
    '"',
    '\\',
    '10',
    '1.5',
    '0',
  ),
  fc.string({ maxLength: 6 }),
  // Letters that Unicode had long before OPA's tables.
  fc.string({ unit: fc.constantFrom(...'aZ09 .-_é日本Ωß😀İ\u0301\u200b'), maxLength: 6 }),
)

export const scalars: fc.Arbitrary<Value> = fc.oneof(
  fc.constantFrom(null, true, false),
  numbers,
  texts,
)

export const values: fc.Arbitrary<Value> = fc.letrec<{ value: Value }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    scalars,
    fc.array(tie('value'), { maxLength: 4 }),
    fc.array(tie('value'), { maxLength: 4 }).map((members) => RegoSet.of(members)),
    fc
      .array(fc.tuple(fc.oneof(texts, scalars, tie('value')), tie('value')), { maxLength: 4 })
      .map(objectOf),
  ),
})).value

/** Those that a built-in takes, and one in ten of any type. */
export function mostly(...wanted: readonly fc.Arbitrary<Value>[]): fc.Arbitrary<Value> {
  return fc.oneof({ weight: 9, arbitrary: fc.oneof(...wanted) }, { weight: 1, arbitrary: values })
}
