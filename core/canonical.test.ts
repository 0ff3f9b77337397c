import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { FIXTURES_ABSENT, fixture } from '../test/fixtures.ts'
import { canonicalJson, isCanonicalJson } from './canonical.ts'
import { JsonError } from './error.ts'
import { type Json, parseJson } from './json.ts'

interface Case {
  readonly input_json: string
  readonly canonical_json: string
  readonly strict_from_str?: { readonly ok?: string; readonly error?: string }
}

/** Where chio's text is not RFC 8785's, by input, and what the RFC (an ECMAScript double) gives instead. */
const differences: Readonly<Record<string, string>> = {
  // chio keeps 64-bit integers exact; the RFC's numbers are doubles.
  '{"min_i64":-9223372036854775808,"max_i64":9223372036854775807}':
    '{"max_i64":9223372036854776000,"min_i64":-9223372036854776000}',
  '{"max_u64":18446744073709551615}': '{"max_u64":18446744073709552000}',
  '{"two_to_53_plus_one":9007199254740993}': '{"two_to_53_plus_one":9007199254740992}',
  // chio escapes U+007F to U+009F; the RFC escapes only below U+0020.
  '"\\u007f"': '"\u007f"',
  '"\\u009f"': '"\u009f"',
  '"\\u0080\\u0085\\u00a0"': '"\u0080\u0085\u00a0"',
}
/** chio 0.1.0 reads some decimals one unit in the last place off; 0.1.2 does not. */
const misread =
  '[1e20,1e21,1e-6,1e-7,123456789012345680000,0.000001,1.0e2,100.0,333333333.33333329,9007199254740991.1,4.50,2e-3,1E30,-1e-9]'

function codeOf(work: () => unknown): string {
  try {
    work()
    return 'accepted'
  } catch (error) {
    expect(error).toBeInstanceOf(JsonError)
    return (error as JsonError).code
  }
}

describe('canonicalJson', () => {
  for (const version of ['v0_1_0', 'v0_1_2'])
    it(`agrees with the vectors of chio ${version}`, (ctx) => {
      const path = fixture('chio', `canonical_json.${version}.json`)
      if (path === undefined) return ctx.skip(FIXTURES_ABSENT)
      const { cases } = JSON.parse(readFileSync(path, 'utf8')) as { cases: readonly Case[] }
      expect(cases.length).toBe(29)
      for (const { input_json, canonical_json, strict_from_str } of cases) {
        if (version === 'v0_1_0' && input_json === misread) continue
        const written = canonicalJson(JSON.parse(input_json) as Json)
        expect(written).toBe(differences[input_json] ?? canonical_json)
        if (strict_from_str?.ok !== undefined)
          expect(canonicalJson(parseJson(input_json))).toBe(written)
        else if (/safe range|e20|551616/.test(strict_from_str?.error ?? ''))
          expect(codeOf(() => parseJson(input_json))).toBe('number_range')
        else if (strict_from_str?.error?.includes('duplicate'))
          expect(codeOf(() => parseJson(input_json))).toBe('duplicate_key')
      }
    })

  it('writes the RFC 8785 example of section 3.2.3', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6']
    const object = Object.fromEntries(names.map((name, i) => [name, i]))
    expect(canonicalJson(object)).toBe(
      '{"\\r":1,"1":3,"\u0080":5,"\u00f6":6,"\u20ac":0,"\u{1f600}":4,"\ufb33":2}',
    )
  })

  it('is one text for a value, whatever the order of its members', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.infiniteStream(fc.nat()), (value, random) => {
        const shuffle = (item: unknown): Json => {
          if (Array.isArray(item)) return item.map(shuffle)
          if (typeof item !== 'object' || item === null) return item as Json
          const rank = new Map(Object.keys(item).map((name) => [name, random.next().value]))
          return Object.fromEntries(
            Object.entries(item)
              .sort(([a], [b]) => rank.get(a)! - rank.get(b)!)
              .map(([name, member]) => [name, shuffle(member)]),
          )
        }
        const text = canonicalJson(value as Json)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalJson(shuffle(value))).toBe(text)
        expect(canonicalJson(JSON.parse(text) as Json)).toBe(text)
      }),
    )
  })

  it('refuses what JSON does not have', () => {
    const refused: readonly [unknown, string][] = [
      [Number.NaN, 'number_range'],
      [[Number.POSITIVE_INFINITY], 'number_range'],
      ['\ud800', 'lone_surrogate'],
      [{ '\udc00': 1 }, 'lone_surrogate'],
      [undefined, 'malformed'],
      [{ a: undefined }, 'malformed'],
      [new Array(2), 'malformed'],
      [1n, 'malformed'],
      [() => 0, 'malformed'],
    ]
    for (const [value, code] of refused)
      expect(codeOf(() => canonicalJson(value as Json))).toBe(code)
    let deep: Json = 0
    for (let i = 0; i < 257; i++) deep = [deep]
    expect(codeOf(() => canonicalJson(deep))).toBe('too_deep')
  })
})

describe('a text is canonical', () => {
  it('exactly where it is what would be written', () => {
    const names = fc.constantFrom('a', 'b', '10', '9', '', '__proto__', 'é')
    const value = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 3 },
        fc.constantFrom(0, -1.5, 1e-7, true, null, 'x', 'é\n'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(names, tie('value'), { maxKeys: 4 }),
      ),
    })).value
    const written = value.map((each) => JSON.stringify(each))
    fc.assert(
      fc.property(
        fc.oneof(
          written,
          value.map((each) => canonicalJson(each as Json)),
        ),
        (text) => {
          const read = parseJson(text)
          expect(isCanonicalJson(text, read)).toBe(canonicalJson(read) === text)
        },
      ),
    )
  })

  it.each([
    ['{"10":1,"9":2}', true],
    ['{"9":1,"10":2}', false],
    ['{"a":{"c":1,"b":2}}', false],
    ['[{"a":1,"b":2}]', true],
    ['{"a": 1}', false],
    ['{"a":1.0}', false],
    ['"\\u0061"', false],
  ])('%s: %s', (text, expected) => {
    expect(isCanonicalJson(text, parseJson(text))).toBe(expected)
  })
})
