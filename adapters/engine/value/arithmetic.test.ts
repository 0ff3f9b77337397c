import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  absolute,
  ceiling,
  floor,
  minus,
  over,
  plus,
  remainder,
  round,
  times,
} from './arithmetic.ts'
import { type RegoNumber, readNumber } from './number.ts'

const n = (text: string): RegoNumber => readNumber(text) as RegoNumber
/** Written by OPA 1.22. */
const SAID: readonly (readonly [RegoNumber | string, string])[] = [
  [plus(n('0.1'), n('0.2')), '0.3'],
  [over(1, 3), '0.33333333333333333334'],
  [over(2, 3), '0.6666666666666666667'],
  [over(10, 4), '2.5'],
  [times(n('0.1'), n('0.1')), '0.010000000000000000001'],
  [minus(n('1.1'), 1), '0.10000000000000000002'],
  [times(n('1e-300'), n('1e-300')), '9.9999999999999999994e-601'],
  [absolute(n('-12345678901234567890123')), '12345678901234567890000'],
  [round(n('1.5e30')), '1500000000000000000002684354560'],
  [round(n('-2.5')), '-3'],
  [ceiling(n('-0.5')), '1'],
  [ceiling(n('1.2')), '2'],
  [floor(n('-1.5')), '-2'],
  [remainder(-7, 3), '-1'],
]

describe('arithmetic', () => {
  it.each(SAID.map(([result, text], i) => [i, text, result] as const))(
    'has the digits of OPA (%i: %s)',
    (_i, text, result) => {
      expect(String(result)).toBe(text)
    },
  )

  it('is exact for integers of any size', () => {
    const integers = fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n })
    fc.assert(
      fc.property(integers, integers, (a, b) => {
        const [x, y] = [n(String(a)), n(String(b))]
        expect(BigInt(plus(x, y) as bigint)).toBe(a + b)
        expect(BigInt(minus(x, y) as bigint)).toBe(a - b)
        expect(BigInt(times(x, y) as bigint)).toBe(a * b)
        if (b !== 0n) expect(BigInt(remainder(x, y) as bigint)).toBe(a % b)
      }),
    )
  })

  it('takes the same way for doubles and for long numbers', () => {
    const small = fc.integer({ min: -(2 ** 31), max: 2 ** 31 })
    fc.assert(
      fc.property(small, small, (a, b) => {
        expect(Object.is(times(a, b), -0)).toBe(false)
        expect(plus(a, b)).toBe(a + b)
        if (b !== 0 && a % b === 0) expect(over(a, b)).toBe(a / b + 0)
      }),
    )
  })

  it('refuses what has no result', () => {
    expect(over(1, 0)).toBe('divide by zero')
    expect(remainder(1, 0)).toBe('modulo by zero')
    expect(remainder(n('1.5'), 1)).toBe('modulo on a fraction')
  })

  it('refuses exponents that would cost more than they say', () => {
    const huge = n('1e999999999')
    expect(plus(huge, 1)).toBe('too large')
    expect(times(huge, huge)).toBe('too large')
    expect(over(1, n('1e-999999999'))).toBe('too large')
    expect(round(huge)).toBe('too large')
    expect(absolute(huge)).toBe('too large')
    const long = n(`1${'0'.repeat(9_000)}`)
    let product: RegoNumber | string = long
    for (let i = 0; i < 40 && typeof product !== 'string'; i++) product = times(product, long)
    expect(product).toBe('too large')
  })
})
