/** Amounts with a unit: `10k`, `1.5Gi`, `200m` (`units.parse`), and bytes in either kind of thousands (`units.parse_bytes`). */
import { floatOf, multiply, truncate } from '../../value/float.ts'
import { decimal, integer, type RegoNumber } from '../../value/number.ts'
import type { Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { wrongType } from '../operands.ts'

const LETTERS = ['k', 'm', 'g', 't', 'p', 'e'] as const

/** By unit: `k`, `m` … a thousand each, `ki`, `mi` … 1024 each. */
const SCALES: ReadonlyMap<string, bigint> = new Map([
  ['', 1n] as const,
  ...LETTERS.flatMap((letter, i): (readonly [string, bigint])[] => [
    [letter, 1000n ** BigInt(i + 1)],
    [`${letter}i`, 1024n ** BigInt(i + 1)],
  ]),
])

/** The double 0.001 as OPA has it: not a thousandth, but this over 2^60. */
const MILLI = { numerator: 1_152_921_504_606_847n, denominator: 1n << 60n } as const

interface Amount {
  readonly number: string
  readonly unit: string
}

/** Where the number ends: at what belongs to no number, or at an `e` with no exponent behind it. */
const NUMBER = /^(?:[\d.+-]|[eE](?:[+-]|(?=\d)))*/

/** Fails for what has no number, or one with an exponent of more than six digits. */
function amountIn(context: Context, text: string): Amount | undefined {
  if (text.includes(' ')) return fail(context, 'spaces not allowed in resource strings')
  const number = NUMBER.exec(text)?.[0] ?? ''
  if (/[eE][+-]?\d{7}/.test(number)) return fail(context, 'exponent too large')
  return number === ''
    ? fail(context, 'no amount provided')
    : { number, unit: text.slice(number.length) }
}

const DECIMAL = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

interface Parts {
  readonly coefficient: bigint
  readonly exponent: number
}

function partsOf(context: Context, number: string): Parts | undefined {
  const [, sign, whole, fraction = '', power = '0'] = DECIMAL.exec(number) ?? []
  if (whole === undefined || whole + fraction === '')
    return fail(context, 'could not parse amount to a number')
  const coefficient = BigInt(whole + fraction)
  const exponent = Number(power) - fraction.length
  if (Math.abs(exponent) > MAX_EXPONENT) return fail(context, 'exponent too large')
  context.spend(1 + Math.ceil(Math.abs(exponent) / 100))
  return { coefficient: sign === '-' ? -coefficient : coefficient, exponent }
}
/** OPA goes to a million, and computes long with it. */
const MAX_EXPONENT = 30_000

/** Exactly; where a fraction is left, to ten places. */
const parse: Builtin = (context, value: Value) => {
  if (typeof value !== 'string') return wrongType(context, 1, value, 'string')
  const amount = amountIn(context, value.replaceAll('"', ''))
  if (amount === undefined) return undefined
  const milli = amount.unit === 'm'
  const scale = milli ? MILLI.numerator : SCALES.get(unitOf(amount.unit))
  if (scale === undefined) return fail(context, 'unit not recognized')
  const parts = partsOf(context, amount.number)
  if (parts === undefined) return undefined
  const power = 10n ** BigInt(Math.abs(parts.exponent))
  const over = milli ? MILLI.denominator : 1n
  return parts.exponent >= 0
    ? quotient(parts.coefficient * scale * power, over)
    : quotient(parts.coefficient * scale, over * power)
}

/** A small letter for thousands is as good as a capital one, but `m` is a thousandth. */
function unitOf(unit: string): string {
  const [first = '', ...rest] = unit
  if (first === 'm' && rest.length === 0) return unit
  const letter = LETTERS.find((known) => known === first.toLowerCase())
  return letter === undefined ? unit : letter + rest.join('').toLowerCase()
}

const PLACES = 10n ** 10n

function quotient(numerator: bigint, denominator: bigint): RegoNumber {
  if (numerator % denominator === 0n) return integer(numerator / denominator)
  const size = numerator < 0n ? -numerator : numerator
  const rounded = (2n * size * PLACES + denominator) / (2n * denominator)
  return decimal(numerator < 0n ? -rounded : rounded, -10)
}

/** In floats of 64 bits, then without the fraction. */
const parseBytes: Builtin = (context, value: Value) => {
  if (typeof value !== 'string') return wrongType(context, 1, value, 'string')
  const amount = amountIn(context, value.toLowerCase().replaceAll('"', ''))
  if (amount === undefined) return undefined
  const scale = SCALES.get(amount.unit.replace(/^([kmgtpe]i?)b$/, '$1'))
  if (scale === undefined) return fail(context, 'byte unit not recognized')
  const parts = partsOf(context, amount.number)
  const number =
    parts === undefined ? undefined : floatOf(decimal(parts.coefficient, parts.exponent))
  const by = floatOf(integer(scale))
  if (number === undefined || by === undefined) return undefined
  return integer(truncate(multiply(number, by)))
}

export const UNITS: Family = {
  'units.parse': parse,
  'units.parse_bytes': parseBytes,
}
