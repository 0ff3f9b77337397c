import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callsOf, contextOf, differences, ours } from '../../../../test/builtins.ts'
import { mostly, numbers, scalars, texts, values } from '../../../../test/values.ts'
import { objectOf, RegoSet, type Value } from '../../value/value.ts'
import { BUILTINS } from '../index.ts'

const word = fc.string({ unit: fc.constantFrom(...'abé日😀İßᾳ \u0085\ufeff\u3000ǆ'), maxLength: 7 })
const text = mostly(texts, word)
const part = mostly(fc.string({ unit: fc.constantFrom(...'abé😀'), minLength: 1, maxLength: 3 }))
const maybe = mostly(fc.string({ unit: fc.constantFrom(...'abé😀'), maxLength: 3 }))
const small = mostly(fc.integer({ min: -3, max: 8 }))
const list = mostly(
  fc.array(word, { maxLength: 12 }),
  fc.array(word, { maxLength: 12 }).map((all) => RegoSet.of(all)),
  word,
)
const encoded = mostly(
  texts.map((all) => Buffer.from(all).toString('base64')),
  texts.map((all) => Buffer.from(all).toString('base64url')),
  fc.constantFrom('YQ=', 'Y', 'YQ', 'YQ==\n', 'Y\r\nQ==', 'YR==', '=', 'YQ==a', '_w==x', 'a b='),
)
const hex = mostly(
  texts.map((all) => Buffer.from(all).toString('hex')),
  fc.constantFrom('6', '6G', '4A', '4a'),
)
const query = mostly(
  fc.string({
    unit: fc.constantFrom('a', 'b', '=', '&', '%41', '%', '+', ';', 'é', '~'),
    maxLength: 9,
  }),
)

const flag = fc.constantFrom('', '', '', '#', '0', '+', '-', ' ', '+0', '-0', '# ', '#+')
const width = fc.constantFrom('', '', '', '1', '5', '12', '0', '*', '[1]*', '[2]', '[3]*', '[9]')
const precision = fc.constantFrom(
  '',
  '',
  '',
  '.',
  '.0',
  '.1',
  '.3',
  '.20',
  '.*',
  '.[1]*',
  '.[2]',
  '.17',
)
const argument = fc.constantFrom('', '', '', '', '[1]', '[2]', '[0]', '[x]', '[', '[3]')
const verb = fc.constantFrom(...'vvdsxXoObcqUeEfFgGtT%zé', '')
const directive = fc.tuple(flag, width, precision, argument, verb).map((all) => `%${all.join('')}`)
const format = fc.array(fc.oneof(directive, directive, directive, texts), { maxLength: 3 })
const printed = fc.oneof(
  numbers,
  numbers,
  texts,
  fc.double({ noNaN: true, noDefaultInfinity: true }).filter((all) => !Number.isInteger(all)),
  fc.constantFrom(65, 0x65e5, 0x1f600, 34, 39, 92, 10, 0xd800, 0x110000),
  values,
)

const TABLE = {
  'base64.decode': [encoded],
  'base64.encode': [text],
  'base64.is_valid': [encoded],
  'base64url.decode': [encoded],
  'base64url.encode': [text],
  'base64url.encode_no_pad': [text],
  concat: [maybe, list],
  contains: [text, maybe],
  endswith: [text, maybe],
  'hex.decode': [hex],
  'hex.encode': [text],
  indexof: [text, maybe],
  indexof_n: [text, maybe],
  lower: [text],
  replace: [text, part, text],
  split: [text, maybe],
  startswith: [text, maybe],
  'strings.any_prefix_match': [list, list],
  'strings.any_suffix_match': [list, list],
  'strings.count': [text, maybe],
  'strings.replace_n': [
    mostly(fc.array(fc.tuple(part, maybe), { maxLength: 3 }).map(objectOf)),
    text,
  ],
  'strings.reverse': [text],
  'strings.split_n': [text, maybe, small],
  substring: [text, small, small],
  trim: [text, maybe],
  trim_left: [text, maybe],
  trim_prefix: [text, maybe],
  trim_right: [text, maybe],
  trim_space: [text],
  trim_suffix: [text, maybe],
  upper: [text],
  'urlquery.decode': [query],
  'urlquery.decode_object': [query],
  'urlquery.encode': [text],
  'urlquery.encode_object': [
    mostly(
      fc
        .array(fc.tuple(fc.oneof(texts, scalars), fc.oneof(texts, list)), { maxLength: 3 })
        .map(objectOf),
    ),
  ],
}

const SPRINTF = {
  sprintf: [mostly(format.map((all) => all.join(''))), mostly(fc.array(printed, { maxLength: 3 }))],
}

function say(name: string, ...operands: Value[]): string {
  return ours({ name, operands })
}

describe('built-ins of strings', () => {
  it('say what OPA says', { timeout: 60_000 }, async () => {
    expect(await differences(callsOf(TABLE, 12, 20_004))).toEqual([])
  })

  it('sprintf says what OPA says', { timeout: 60_000 }, async () => {
    expect(await differences(callsOf(SPRINTF, 400, 20_005))).toEqual([])
  })

  it('sprintf tells a width that takes memory, and what Go would print of its own memory', () => {
    expect(() => BUILTINS.get('sprintf')?.(contextOf(100), '%999999d', [1])).toThrow(RangeError)
    expect(say('sprintf', '%p', [10n ** 30n])).toBe('undefined')
  })

  it('puts a text before every byte where there is nothing to replace', () => {
    expect(say('replace', 'ab', '', '-')).toBe('"-a-b-"')
    expect(say('strings.replace_n', { '': 'X', a: 'b' }, 'a')).toBe('"XbX"')
  })

  it('counts tries that go through all of what is looked for, and reads long queries in linear time', () => {
    const [text, search] = ['a'.repeat(20_000), 'a'.repeat(10_000)]
    expect(() => BUILTINS.get('indexof_n')?.(contextOf(100_000), text, search)).toThrow(RangeError)
    const query = BUILTINS.get('urlquery.decode_object')?.(contextOf(), 'a=1&'.repeat(200_000))
    expect((query as { readonly a: readonly string[] }).a).toHaveLength(200_000)
  })

  it('takes bytes that are no text for what OPA answers with', () => {
    expect(say('base64.decode', '/w==')).toBe('"�"')
    expect(say('hex.decode', 'ff')).toBe('"�"')
  })

  it('shows values of templates, and nothing for undefined', () => {
    const parts = [
      'a',
      RegoSet.of(['b']),
      RegoSet.of([1.5]),
      RegoSet.of([[1]]),
      new RegoSet(),
      true,
    ]
    expect(say('internal.template_string', parts)).toBe('"ab1.5[1]<undefined>true"')
    expect(say('internal.template_string', [RegoSet.of([1, 2])])).toBe('undefined')
  })
})
