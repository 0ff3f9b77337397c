import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parseValue, toJson, writeJson } from './json.ts'
import { keyOf } from './key.ts'
import { compareNumbers, decimal, isInteger, parts, readNumber } from './number.ts'
import { compare, compareStrings, equal } from './order.ts'
import {
  entriesOf,
  get,
  insert,
  isObject,
  objectOf,
  RegoObject,
  RegoSet,
  typeName,
  type Value,
} from './value.ts'

describe('numbers', () => {
  test('have one form, the smallest that is exact', () => {
    expect(readNumber('9007199254740991')).toBe(9007199254740991)
    expect(readNumber('9007199254740993')).toBe(9007199254740993n)
    expect(readNumber('1.50')).toBe(1.5)
    expect(readNumber('-0.0')).toBe(0)
    expect(Object.is(readNumber('-0'), 0)).toBe(true)
    expect(String(readNumber('0.30000000000000000001'))).toBe('0.30000000000000000001')
    expect(String(readNumber('1e-400'))).toBe('1e-400')
    expect(readNumber('1e99999999999')).toBeUndefined()
    expect(readNumber('1,5')).toBeUndefined()
  })
  test('an exponent costs no more than its text', () => {
    const huge = readNumber('1e999999999')!
    expect(compareNumbers(huge, readNumber('9e999999998')!)).toBeGreaterThan(0)
    expect(compareNumbers(1, huge)).toBeLessThan(0)
    expect(isInteger(huge)).toBe(true)
  })
  const coefficient = fc.bigInt({ min: -(10n ** 25n), max: 10n ** 25n })
  const exponent = fc.integer({ min: -40, max: 40 })
  test('coefficient and exponent survive, and order is that of exact fractions', () => {
    fc.assert(
      fc.property(coefficient, exponent, coefficient, exponent, (a, i, b, j) => {
        const x = decimal(a, i)
        const y = decimal(b, j)
        const scaled = (c: bigint, e: number): bigint => c * 10n ** BigInt(e + 40)
        const [c, e] = parts(x)
        expect(scaled(c, e)).toBe(scaled(a, i))
        const [left, right] = [scaled(a, i), scaled(b, j)]
        expect(Math.sign(compareNumbers(x, y))).toBe(left < right ? -1 : left > right ? 1 : 0)
        expect(readNumber(String(x).replace('e+', 'e'))).toEqual(x)
      }),
    )
  })
})

describe('order', () => {
  const ranked: Value[] = [
    null,
    false,
    true,
    -1,
    0.5,
    1,
    10n ** 20n,
    '',
    'a',
    'ab',
    '\u{ffff}',
    '\u{10000}',
    [],
    [1],
    [1, 2],
    [2],
    {},
    { a: 1 },
    { a: 2 },
    { b: 0 },
    new RegoSet(),
    RegoSet.of([1]),
    RegoSet.of([1, 2]),
  ]
  test('is that of OPA, whatever the types', () => {
    for (const [i, a] of ranked.entries())
      for (const [j, b] of ranked.entries()) {
        expect(Math.sign(compare(a, b))).toBe(Math.sign(i - j))
        expect(equal(a, b)).toBe(i === j)
        expect(keyOf(a) === keyOf(b)).toBe(i === j)
      }
  })
  test('two are equal where neither comes first, whatever the order of their members', () => {
    const leaf = fc.constantFrom<Value>(0, 1, 'a', {}, [], new RegoSet(), RegoSet.of([1]))
    const name = fc.constantFrom('a', 'b', '__proto__', 'constructor', 'length')
    const object = fc.array(fc.tuple(name, leaf), { maxLength: 4 }).map(objectOf)
    const deep = fc.array(fc.tuple(name, fc.oneof(leaf, object)), { maxLength: 4 }).map(objectOf)
    let same = 0
    fc.assert(
      fc.property(deep, deep, (a, b) => {
        const shuffled = objectOf([...entriesOf(a)].reverse())
        expect(equal(a, shuffled)).toBe(true)
        expect(equal(a, b)).toBe(compare(a, b) === 0)
        if (equal(a, b)) same++
      }),
      { numRuns: 2000 },
    )
    expect(same).toBeGreaterThan(10)
  })
  test('strings are ordered as their UTF-8 bytes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (a, b) => {
        fc.pre(a.isWellFormed() && b.isWellFormed())
        expect(Math.sign(compareStrings(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)))
      }),
    )
  })
})

describe('objects and sets', () => {
  test('the form of an object does not show', () => {
    const plain: Value = { b: [1], a: { c: null } }
    const composite = RegoObject.of([
      ['a', { c: null }],
      ['b', [1]],
    ])
    expect(equal(plain, composite)).toBe(true)
    expect(keyOf(plain)).toBe(keyOf(composite))
    expect(RegoSet.of([plain, composite]).size).toBe(1)
  })
  test('names of built-in properties are names', () => {
    const object = objectOf([
      ['__proto__', 1],
      ['constructor', 2],
      ['length', 3],
    ])
    expect(get(object, '__proto__')).toBe(1)
    expect(get({}, '__proto__')).toBeUndefined()
    expect(get({}, 'constructor')).toBeUndefined()
    expect(get([1], 'length')).toBeUndefined()
    expect(get([1], '0')).toBeUndefined()
    expect(entriesOf(object as { [key: string]: Value }).map(([key]) => key)).toEqual([
      '__proto__',
      'constructor',
      'length',
    ])
    expect(Object.getPrototypeOf(object)).toBe(Object.prototype)
    expect(writeJson(object)).toBe('{"__proto__":1,"constructor":2,"length":3}')
  })
  test('a key that is no string makes a composite object, and 1 is not "1"', () => {
    const object = insert(insert({}, '1', 'text'), 1, 'number')
    expect(object).toBeInstanceOf(RegoObject)
    expect(get(object, 1)).toBe('number')
    expect(get(object, '1')).toBe('text')
  })
  test('a decimal is a number, not an object', () => {
    const value = readNumber('0.30000000000000000001')!
    expect(typeName(value)).toBe('number')
    expect(isObject(value)).toBe(false)
  })
})

describe('JSON', () => {
  test('keeps every digit and writes sets as sorted arrays', () => {
    const text = '{"a":[12345678901234567890,0.1],"b":0.30000000000000000001}'
    expect(writeJson(parseValue(text))).toBe(text)
    expect(writeJson(RegoObject.of([[[1], RegoSet.of(['b', 'a'])]]))).toBe('{"[1]":["a","b"]}')
  })
  test('plain JSON shares nothing with the value, and refuses to lose digits', () => {
    const value = { list: [1] }
    const json = toJson(value) as typeof value
    json.list.push(2)
    expect(value).toEqual({ list: [1] })
    expect(() => toJson([10n ** 20n + 1n])).toThrow(RangeError)
    expect(() => toJson([2n ** 60n])).toThrow(RangeError)
    expect(JSON.stringify(toJson([1_800_000_000_000_000_000n]))).toBe('[1800000000000000000]')
  })
})
