/**
 * Binary floats of chosen precision, as OPA computes with numbers that are not integers: Go's big.Float, whose results are visible in
 * every digit (`1/3` has 64 bits, not 53). Rounds to nearest, ties to even.
 *
 * @see https://pkg.go.dev/math/big#Float
 */
import { decimal, parts, type RegoNumber } from './number.ts'

/** mantissa × 2^exponent, the mantissa's magnitude with exactly `precision` bits, or zero. */
export interface Float {
  readonly mantissa: bigint
  readonly exponent: number
  readonly precision: number
}

/** What big.Float reads a text with. */
export const PRECISION = 64

/** Beyond it OPA refuses the number itself: 2^100000. */
export const MAX_POWER = 30_103

/** Undefined where the number is beyond {@link MAX_POWER}, so that no operand costs more than its size. */
export function floatOf(value: RegoNumber): Float | undefined {
  if (typeof value !== 'number') return read(value)
  const known = DOUBLES.get(value)
  if (known !== undefined) return known
  const float = read(value)
  if (DOUBLES.size >= MAX_DOUBLES) DOUBLES.clear()
  if (float !== undefined) DOUBLES.set(value, float)
  return float
}

/** What was read lately: a policy computes with the same few fractions again and again. */
const DOUBLES = new Map<number, Float>()
const MAX_DOUBLES = 1024

function read(value: RegoNumber): Float | undefined {
  const [coefficient, exponent] = parts(value)
  if (Math.abs(exponent) > MAX_POWER) return undefined
  const scale = POWERS.of(Math.abs(exponent))
  if (exponent >= 0)
    return rounded(coefficient * scale.mantissa, scale.exponent + exponent, PRECISION)
  return divided(coefficient, exponent, scale, PRECISION)
}

export function add(a: Float, b: Float): Float {
  const exponent = Math.min(a.exponent, b.exponent)
  return rounded(at(a, exponent) + at(b, exponent), exponent, Math.max(a.precision, b.precision))
}

export function negate(a: Float): Float {
  return { ...a, mantissa: -a.mantissa }
}

/** @param precision of the product; the larger of both where it is not given */
export function multiply(
  a: Float,
  b: Float,
  precision: number = Math.max(a.precision, b.precision),
): Float {
  return rounded(a.mantissa * b.mantissa, a.exponent + b.exponent, precision)
}

/** @param b not zero */
export function divide(a: Float, b: Float): Float {
  return divided(a.mantissa, a.exponent, b, Math.max(a.precision, b.precision))
}

/** The whole part: towards zero. */
export function truncate(a: Float): bigint {
  if (a.exponent >= 0) return a.mantissa << BigInt(a.exponent)
  const shift = BigInt(-a.exponent)
  return a.mantissa < 0n ? -(-a.mantissa >> shift) : a.mantissa >> shift
}

/** The shortest decimal that reads back as this float with its precision: what OPA makes of it. */
export function numberOf(value: Float): RegoNumber {
  const { mantissa, exponent } = value
  if (mantissa === 0n) return 0
  const negative = mantissa < 0n
  const size = negative ? -mantissa : mantissa
  // Half a unit of the last place is one, so that both bounds are integers.
  const scale = exponent - 1
  const unit = scale >= 0 ? 1n << BigInt(scale) : 5n ** BigInt(-scale)
  const exact = 2n * size * unit
  const digits = String(exact)
  const kept = shortest(
    digits,
    withoutZeros(exact - unit),
    withoutZeros(exact + unit),
    (size & 1n) === 0n,
  )
  const coefficient = kept.coefficient
  const power = digits.length - kept.length + (scale < 0 ? scale : 0)
  return decimal(negative ? -coefficient : coefficient, power)
}

interface Kept {
  readonly coefficient: bigint
  /** Digits that were read. */
  readonly length: number
}

/** As few digits as tell the number from both bounds, which belong to it where it is even. */
function shortest(digits: string, lower: string, upper: string, inclusive: boolean): Kept {
  for (let i = 0; i < digits.length; i++) {
    const digit = digitAt(digits, i)
    const down = digitAt(lower, i) !== digit || (inclusive && i + 1 === lower.length)
    const above = digitAt(upper, i)
    const up = digit !== above && (inclusive || digit + 1 < above || i + 1 < upper.length)
    if (!down && !up) continue
    const head = BigInt(digits.slice(0, i + 1))
    const nearest = down && up ? roundsUp(digits, i) : up
    return { coefficient: nearest ? head + 1n : head, length: i + 1 }
  }
  return { coefficient: BigInt(digits), length: digits.length }
}

function roundsUp(digits: string, last: number): boolean {
  const next = digitAt(digits, last + 1)
  if (next !== 5) return next > 5
  const tie = /^50*$/.test(digits.slice(last + 1))
  return !tie || digitAt(digits, last) % 2 === 1
}

function digitAt(digits: string, i: number): number {
  return i < digits.length ? digits.charCodeAt(i) - 48 : 0
}

function withoutZeros(value: bigint): string {
  const digits = String(value)
  let end = digits.length
  while (digits[end - 1] === '0') end--
  return digits.slice(0, end)
}

/** The numerator's mantissa × 2^exponent over a float. */
function divided(mantissa: bigint, exponent: number, by: Float, precision: number): Float {
  // Enough bits for the precision, and one more that says whether something is left.
  const missing = Math.max(0, precision + 2 + bits(by.mantissa) - bits(mantissa))
  const numerator = mantissa << BigInt(missing)
  const quotient = numerator / by.mantissa
  const rest = numerator % by.mantissa === 0n ? 0n : numerator < 0n === by.mantissa < 0n ? 1n : -1n
  return rounded(2n * quotient + rest, exponent - missing - by.exponent - 1, precision)
}

export function rounded(mantissa: bigint, exponent: number, precision: number): Float {
  if (mantissa === 0n) return { mantissa: 0n, exponent: 0, precision }
  const size = mantissa < 0n ? -mantissa : mantissa
  const excess = bits(size) - precision
  if (excess <= 0)
    return { mantissa: mantissa << BigInt(-excess), exponent: exponent + excess, precision }
  const shift = BigInt(excess)
  const half = 1n << (shift - 1n)
  const cut = size & ((1n << shift) - 1n)
  const down = size >> shift
  const up = cut > half || (cut === half && (down & 1n) === 1n)
  const whole = up ? down + 1n : down
  // Rounding up a row of ones makes one bit more.
  const [kept, power] =
    bits(whole) > precision ? [whole >> 1n, exponent + excess + 1] : [whole, exponent + excess]
  return { mantissa: mantissa < 0n ? -kept : kept, exponent: power, precision }
}

function at(value: Float, exponent: number): bigint {
  return value.mantissa << BigInt(value.exponent - exponent)
}

function bits(value: bigint): number {
  const size = value < 0n ? -value : value
  if (size <= 0xffffffffn) return size === 0n ? 0 : 32 - Math.clz32(Number(size))
  const hex = size.toString(16)
  return hex.length * 4 - (Math.clz32(Number.parseInt(hex[0] ?? '0', 16)) - 28)
}

/** Powers of five as big.Float has them: exact while they fit, then rounded at each step to 128 bits. */
class Powers {
  readonly #known = new Map<number, Float>()

  of(power: number): Float {
    const known = this.#known.get(power)
    if (known !== undefined) return known
    const made = powerOfFive(power)
    if (this.#known.size < 1024) this.#known.set(power, made)
    return made
  }
}
const POWERS = new Powers()

const TABLE = 27

function powerOfFive(power: number): Float {
  let result = rounded(5n ** BigInt(Math.min(power, TABLE)), 0, 2 * PRECISION)
  let factor = rounded(5n, 0, 3 * PRECISION)
  for (let n = Math.max(0, power - TABLE); n > 0; n >>= 1) {
    if ((n & 1) === 1) result = multiply(result, factor, 2 * PRECISION)
    factor = multiply(factor, factor)
  }
  return result
}
