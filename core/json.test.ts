import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { JsonError } from './error.ts'
import { type JsonLimits, parseJson } from './json.ts'

function codeOf(source: string | Uint8Array, limits?: JsonLimits): string {
  try {
    parseJson(source, limits)
    return 'accepted'
  } catch (error) {
    expect(error).toBeInstanceOf(JsonError)
    return (error as JsonError).code
  }
}
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)
const limits = { maxDepth: 100 }

/** I-JSON values: well-formed strings, numbers within 2^53-1. */
const iJson = fc.jsonValue({ stringUnit: 'binary' }).filter((value) => {
  let safe = true
  JSON.parse(JSON.stringify(value), (_, item: unknown) => {
    if (typeof item === 'number' && Math.abs(item) > Number.MAX_SAFE_INTEGER) safe = false
  })
  return safe
})

describe('parseJson', () => {
  it('agrees with JSON.parse on I-JSON, as text and as bytes', () => {
    fc.assert(
      fc.property(iJson, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, undefined, indent)
        expect(parseJson(text, limits)).toEqual(JSON.parse(text))
        expect(parseJson(utf8(text), limits)).toEqual(JSON.parse(text))
      }),
      { numRuns: 500 },
    )
  })

  it('never throws anything but a JsonError, and accepts only what it accepts again', () => {
    const piece = fc.constantFrom(...'{}[]:,"\\ue-+.019aE \n', 'ud800', '1e-400', '"a":', 'null')
    fc.assert(
      fc.property(
        fc.oneof(
          fc.array(piece).map((all) => all.join('')),
          fc.string(),
        ),
        (text) => {
          if (codeOf(text) !== 'accepted') return
          const value = parseJson(text)
          expect(parseJson(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)))
        },
      ),
      { numRuns: 5000 },
    )
    fc.assert(fc.property(fc.uint8Array(), (bytes) => void codeOf(bytes)))
  })

  it('refuses one name twice, however it is written', () => {
    for (const text of [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":2}',
      '[{"x":{"k":1,"l":2,"k":3}}]',
      '{"":0,"":0}',
      '{"__proto__":1,"__proto__":2}',
      '{"1":0,"1":0}',
    ])
      expect(codeOf(text)).toBe('duplicate_key')
    fc.assert(
      fc.property(fc.dictionary(fc.string(), iJson, { minKeys: 1 }), (object) => {
        const text = JSON.stringify(object)
        const name = JSON.stringify(Object.keys(object)[0])
        expect(codeOf(`{${name}:0,${text.slice(1)}`, limits)).toBe('duplicate_key')
      }),
    )
  })

  it('is not misled by colons, quotes and brackets in strings', () => {
    for (const value of [':', '{":"', '\\"', '"', '\\', 'a\\\\":[', { ':': ':', '"': '"' }, ['}]']])
      expect(parseJson(JSON.stringify(value))).toEqual(value)
  })

  it('keeps __proto__ a plain member', () => {
    const value = parseJson('{"__proto__":{"admin":true}}') as Record<string, unknown>
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(Object.keys(value)).toEqual(['__proto__'])
    expect(value.admin).toBeUndefined()
  })

  it('refuses half a surrogate pair, raw and escaped, in values and names', () => {
    for (const text of [
      '"\ud800"',
      '"\\ud800"',
      '"\\uDC00x"',
      '{"\\udfff":1}',
      '["\\ud800\\ud800"]',
    ])
      expect(codeOf(text)).toBe('lone_surrogate')
    expect(parseJson('"\\ud83d\\ude00"')).toBe('😀')
    expect(parseJson('"\\\\ud800"')).toBe('\\ud800')
  })

  it('refuses numbers that a double does not hold', () => {
    for (const text of [
      '9007199254740992',
      '-9007199254740993',
      '1e400',
      '-1e400',
      '1e20',
      '[1e-400]',
      '{"a":0.0001E-9999}',
      '123456789.5e-999',
    ])
      expect(codeOf(text)).toBe('number_range')
    for (const text of [
      '9007199254740991',
      '-9007199254740991',
      '0',
      '-0',
      '0e-9',
      '0.00e-999',
      '5e-324',
      '1e-7',
      '12.5e3',
    ])
      expect(parseJson(text)).toBe(JSON.parse(text))
  })

  it('bounds depth', () => {
    const nested = (depth: number) => '['.repeat(depth) + ']'.repeat(depth)
    expect(codeOf(nested(32))).toBe('accepted')
    expect(codeOf(nested(33))).toBe('too_deep')
    expect(codeOf('{"a":{"b":[1]}}', { maxDepth: 3 })).toBe('accepted')
    expect(codeOf('{"a":{"b":[1]}}', { maxDepth: 2 })).toBe('too_deep')
    expect(codeOf('7', { maxDepth: 0 })).toBe('accepted')
    expect(codeOf(`${'[],'.repeat(100)}`, { maxDepth: 1 })).toBe('malformed')
    expect(codeOf('['.repeat(1_000_000))).toBe('too_deep')
  })

  it('bounds size to the byte', () => {
    const text = '"ééé"'
    expect(codeOf(text, { maxBytes: 8 })).toBe('accepted')
    expect(codeOf(text, { maxBytes: 7 })).toBe('too_large')
    expect(codeOf(utf8(text), { maxBytes: 8 })).toBe('accepted')
    expect(codeOf(utf8(text), { maxBytes: 7 })).toBe('too_large')
    expect(codeOf(`"${'a'.repeat(1_048_574)}"`)).toBe('accepted')
    expect(codeOf(`"${'a'.repeat(1_048_575)}"`)).toBe('too_large')
  })

  it('refuses what is not UTF-8 or not JSON', () => {
    expect(codeOf(Uint8Array.of(0x22, 0xff, 0x22))).toBe('invalid_utf8')
    expect(codeOf(Uint8Array.of(0x22, 0xc0, 0x80, 0x22))).toBe('invalid_utf8')
    expect(codeOf(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22))).toBe('invalid_utf8')
    expect(codeOf('\ufeff{}')).toBe('malformed')
    expect(codeOf(Uint8Array.of(0xef, 0xbb, 0xbf, 0x7b, 0x7d))).toBe('malformed')
    for (const text of [
      '',
      ' ',
      '{',
      '{"a"}',
      '[1,]',
      "{'a':1}",
      '01',
      '+1',
      'NaN',
      '1 2',
      'tru',
      '\u00a01',
    ])
      expect(codeOf(text)).toBe('malformed')
  })

  it('says nothing of the text in its message', () => {
    try {
      parseJson('{"password":"hunter2" oops}')
      expect.unreachable()
    } catch (error) {
      expect((error as Error).message).not.toMatch(/hunter2|oops|password/)
    }
  })

  it('takes time linear in the text', () => {
    const text = `[${'1e-1,'.repeat(150_000)}1]`
    const start = performance.now()
    expect(codeOf(text)).toBe('accepted')
    expect(performance.now() - start).toBeLessThan(5000)
  })
})
