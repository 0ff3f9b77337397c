import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callsOf, contextOf, differences, ours } from '../../../../test/builtins.ts'
import { mostly, numbers, texts } from '../../../../test/values.ts'
import type { Value } from '../../value/value.ts'
import { BUILTINS, type Context } from '../index.ts'

const number = mostly(numbers)
const small = fc.integer({ min: -3, max: 8 })
/** OPA makes as long a range, or shift, as it is asked for. */
const bounded = fc.oneof(small, fc.constantFrom<Value>('a', null, 1.5))
const amount = mostly(
  fc
    .tuple(
      fc.constantFrom(
        '1',
        '1.5',
        '0.001',
        '10',
        '1e3',
        '-2',
        '.5',
        '5.',
        '',
        '1.2.3',
        '999999999999',
        '1e-3',
        '123.456789',
        '+1',
        '1e',
        '--1',
        '1e1234567',
      ),
      fc.constantFrom(
        '',
        'k',
        'K',
        'ki',
        'Ki',
        'M',
        'm',
        'Mi',
        'mI',
        'MB',
        'kib',
        'g',
        'Gi',
        'T',
        'Pi',
        'e',
        'E',
        'EB',
        'Ei',
        'x',
        '"k"',
        ' k',
      ),
    )
    .map((parts) => parts.join('')),
)

const TABLE = {
  abs: [number],
  ceil: [number],
  div: [number, number],
  floor: [number],
  minus: [number, number],
  mul: [number, number],
  plus: [number, number],
  rem: [number, number],
  round: [number],
  'bits.and': [number, number],
  'bits.lsh': [number, bounded],
  'bits.negate': [number],
  'bits.or': [number, number],
  'bits.rsh': [number, number],
  'bits.xor': [number, number],
  'numbers.range': [bounded, bounded],
  'numbers.range_step': [bounded, bounded, bounded],
  to_number: [
    mostly(
      texts,
      numbers,
      fc.constantFrom('1e5', '-1.50', '1e400', '1e-400', 'nan', 'Inf', '+', 'e5', '١'),
    ),
  ],
  format_int: [number, mostly(fc.constantFrom(2, 8, 10, 16, 3))],
  'units.parse': [amount],
  'units.parse_bytes': [amount],
}

describe('built-ins of numbers', () => {
  it('say what OPA says', { timeout: 60_000 }, async () => {
    expect(await differences(callsOf(TABLE, 20, 20_001))).toEqual([])
  })

  it.each([
    ['+5', '5'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['007', '7'],
  ])('reads %s, which is no number of JSON, as %s', (text, number) => {
    expect(ours({ name: 'to_number', operands: [text] })).toBe(number)
  })

  it.each(['1_0', '0x10', '0b1', '1e400'])('does not read %s', (text) => {
    expect(ours({ name: 'to_number', operands: [text] })).toBe('undefined')
  })

  it('tells errors of type from others', () => {
    expect(failureOf('plus', 1, 'a')).toBe('eval_type_error')
    expect(failureOf('div', 1, 0)).toBe('eval_builtin_error')
    expect(failureOf('to_number', 'Infinity')).toBe('eval_type_error')
    expect(failureOf('bits.lsh', 1, 10 ** 9)).toBe('eval_builtin_error')
    expect(failureOf('units.parse', 'x')).toBe('eval_builtin_error')
  })

  it('counts the work of ranges, shifts and long products before it is done', () => {
    expect(() => call(contextOf(1000), 'numbers.range', 1, 10 ** 9)).toThrow(RangeError)
    expect(() => call(contextOf(100), 'bits.lsh', 1, 900_000)).toThrow(RangeError)
    expect(() => call(contextOf(10), 'mul', 10n ** 9_000n, 10n ** 9_000n)).toThrow(RangeError)
    expect(() => call(contextOf(10), 'units.parse', '1e29999')).toThrow(RangeError)
  })
})

function call(context: Context, name: string, ...operands: Value[]): Value | undefined {
  return BUILTINS.get(name)?.(context, ...operands)
}

function failureOf(name: string, ...operands: Value[]): string | undefined {
  const context = contextOf()
  call(context, name, ...operands)
  return context.failure?.code
}
