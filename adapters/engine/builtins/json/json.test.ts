import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Call, callsOf, contextOf, differences } from '../../../../test/builtins.ts'
import { mostly, values } from '../../../../test/values.ts'
import { equal } from '../../value/order.ts'
import type { Value } from '../../value/value.ts'
import { JSON_TEXT } from './index.ts'
import { YAML } from './yaml.ts'

const option = fc.record(
  {
    pretty: mostly(fc.boolean()),
    indent: mostly(fc.constantFrom('', '  ', '--')),
    prefix: mostly(fc.constantFrom('', '>')),
  },
  { requiredKeys: [] },
)
const JSON_TEXTS = [
  '1',
  '1 ',
  ' 1',
  '1 2',
  '',
  'x',
  '{"a":1,"a":2}',
  '{"__proto__":1}',
  '"\\ud800"',
  '"\\ud83d\\ude00"',
  '"\\udc00\\ud800x"',
  '"\\\\ud800"',
  '1e400',
  '1e-400',
  '12345678901234567890123',
  '0.1',
  '1.0',
  '-0',
  '-0.0',
  '01',
  '+1',
  '.5',
  '1.',
  '[1,]',
  '{"a":1,}',
  "{'a':1}",
  'NaN',
  '\ufeff1',
  '"\t"',
  '"\\x"',
  'null',
  'nullx',
  '['.repeat(900) + ']'.repeat(900),
  '1E5',
  '100000000000000000000000000000000000000e-30',
  'tru',
  '"\u2028"',
  '[]]',
  '"\\u00"',
  '1e5',
  '\u00a01',
  '"\\ud83d\\u0041"',
]
const YAML_TEXTS = [
  '',
  ' ',
  '# c',
  '---',
  '--- a',
  'a: 1',
  'a: 1\n---\nb: 2',
  'a: 1\n---\n\tb: 2\n',
  '  test:\ntest1: hello\n',
  'yes',
  'on: off',
  'true',
  'True',
  'tRue',
  'null',
  '~',
  '0x1F',
  '0b11',
  '0o17',
  '017',
  '089',
  '1_000',
  '-0x1F',
  '+12',
  '1.5',
  '.5',
  '1.',
  '1e3',
  '1_0.5',
  '.inf',
  '.nan',
  '-.INF',
  '12345678901234567890',
  '123456789012345678901',
  '2020-01-01',
  '2020-01-01T00:00:00Z',
  '"1"',
  "'1'",
  '!!str 1',
  '!!int "1"',
  '!!int 1',
  '!!float 1',
  '!foo x',
  'a: &x {b: 1}\nc: *x',
  'a: *x',
  '<<: {a: 1}\nb: 2',
  'x: &x {a: 1}\ny: {<<: *x, a: 2}',
  'x: &x {a: 1}\nz: &z {a: 3, b: 4}\ny: {<<: [*x, *z]}',
  'a: 1\na: 2',
  '1: a\n"1": b',
  'true: x',
  '~: x',
  '1.5: x',
  '[1]: x',
  '? [1]\n: x',
  '{a: b, c}',
  '[a, b',
  '{a: {',
  '- a\n- b',
  '- - a',
  'a:\n- b',
  'a: |\n  x\n  y\n',
  'a: >\n  x\n  y\n',
  'a: "x\\ty"',
  "a: 'it''s'",
  'foo:\n   - qux: bar\n   - baz: 2',
  'foo:\n   - qux: bar\n   - baz: {',
  '%YAML 1.1\n---\na: yes',
  '\ta: 1',
  'a:\tb',
  'a: b: c',
  '- a\nb',
  'a: @x',
  'a: `x',
  'a: %x',
  'a: [x, y]z',
  '"abc',
  'a: !!set {x}',
  'é: ü',
  '"\\x41"',
  'a: -',
  '-',
  '- ',
  ':',
  ': a',
  '? a',
  'a: 1 # c',
  'a: x#c',
  'a: "1" "2"',
  '0',
  '-0',
  '+0',
  '0x',
  '1__0',
  '_1',
  '-_1',
  '00',
  '08',
  '1e',
  'a\n...\n---\nb',
  '{"a": 1, "b": [true, null]}',
  '<<: 1',
  '<<: [1]',
  'a: <<',
  '-.5',
  '+.5',
  '0o',
  '0b',
  '0x_1',
  '1:30',
  '12e03',
  '!!str',
  'a: !!str',
  '!!map {a: 1}',
  '!!seq [1]',
  '!!seq {a: 1}',
  "a: 'b\n  c'",
  'a\tb: 1',
  '{a: 1}}',
  '[]]',
  '- 1\n -2',
  '{? a : b}',
  'a: &a [*a]',
  '"a\nb"',
  '\ufeffa: 1',
  '"a" : 1',
  '*x : 1',
  '&a a: *a',
  'a: ! x',
]

function readers(names: readonly string[], texts: readonly string[]): readonly Call[] {
  return [...texts, 3].flatMap((text) => names.map((name) => ({ name, operands: [text] })))
}

describe('JSON as text', () => {
  it('is written as OPA writes it', async () => {
    const calls = callsOf(
      {
        'json.marshal': [values],
        'json.marshal_with_options': [values, option as fc.Arbitrary<Value>],
      },
      80,
      1,
    )
    expect(await differences(calls)).toEqual([])
  })

  it('is read as OPA reads it', async () => {
    expect(await differences(readers(['json.unmarshal', 'json.is_valid'], JSON_TEXTS))).toEqual([])
  })

  it('is refused where it is too deep for what walks it later', () => {
    const context = contextOf()
    const deep = '['.repeat(100_000) + ']'.repeat(100_000)
    expect(JSON_TEXT['json.unmarshal']!(context, deep)).toBeUndefined()
    expect(context.failure?.code).toBe('eval_builtin_error')
  })
})

describe('YAML', () => {
  it('is read as OPA reads it', async () => {
    expect(await differences(readers(['yaml.unmarshal', 'yaml.is_valid'], YAML_TEXTS))).toEqual([])
  })

  it('comes back from what it was written as', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (json) => {
        const value = JSON_TEXT['json.unmarshal']!(contextOf(), JSON.stringify(json)) as Value
        const text = YAML['yaml.marshal']!(contextOf(), value) as string
        expect(equal(YAML['yaml.unmarshal']!(contextOf(), text) as Value, value)).toBe(true)
      }),
    )
  })

  it('does not grow without bound by aliases of aliases', () => {
    const lines = ['a0: &a0 [x, x]']
    for (let i = 1; i < 40; i++) lines.push(`a${i}: &a${i} [*a${i - 1}, *a${i - 1}]`)
    expect(() => YAML['yaml.unmarshal']!(contextOf(10_000), lines.join('\n'))).toThrow(RangeError)
    const context = contextOf()
    expect(YAML['yaml.unmarshal']!(context, lines.join('\n'))).toBeUndefined()
    expect(context.failure?.code).toBe('eval_builtin_error')
  })
})
