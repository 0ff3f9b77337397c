/**
 * Rego's numbers are exact. A double while it says the number exactly, which nearly all do; BigInt for integers beyond 2^53 - 1; a
 * {@link Decimal} for what neither holds. Each number has one form only, so equal numbers have equal forms.
 */
import { Boxed } from './boxed.ts'

/** Coefficient × 10^exponent. The coefficient is not divisible by ten, and no double is written the same way. Compared by {@link compareNumbers}. */
export class Decimal extends Boxed {
  readonly coefficient: bigint
  readonly exponent: number

  /** Only {@link decimal} makes one: it knows when a double or a BigInt is the number's form. */
  constructor(coefficient: bigint, exponent: number) {
    super()
    this.coefficient = coefficient
    this.exponent = exponent
  }

  /** JSON: digits with a point where the exponent is small, an exponent otherwise. */
  override toString(): string {
    const sign = this.coefficient < 0n ? '-' : ''
    const digits = String(this.coefficient < 0n ? -this.coefficient : this.coefficient)
    const point = digits.length + this.exponent
    if (this.exponent >= 0 || point < -5 || point > 21) {
      const rest = digits.length > 1 ? `.${digits.slice(1)}` : ''
      const power = point - 1
      return `${sign}${digits[0]}${rest}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`
    }
    if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
    return `${sign}${digits.slice(0, point)}.${digits.slice(point)}`
  }
}

export type RegoNumber = bigint | Decimal | number

/** Digits that an integer may have as a BigInt; longer ones stay a coefficient and an exponent, which arithmetic refuses to write out. */
export const MAX_DIGITS = 10_000

const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** @param text a number in JSON's grammar. Undefined for anything else, or an exponent beyond ±10^9. */
export function readNumber(text: string): RegoNumber | undefined {
  const double = Number(text)
  // A short integer is what most numbers are.
  if (Number.isSafeInteger(double) && text.length < 16 && String(double) === text) return double
  const match = NUMBER.exec(text)
  if (match === null) return undefined
  const [, sign = '', whole = '', fraction = '', power = '0'] = match
  const exponent = Number(power) - fraction.length
  if (Math.abs(exponent) > 1e9) return undefined
  const coefficient = BigInt(whole + fraction)
  return decimal(sign === '-' ? -coefficient : coefficient, exponent)
}

/** The one form of coefficient × 10^exponent. */
export function decimal(coefficient: bigint, exponent: number): RegoNumber {
  if (coefficient === 0n) return 0
  const [digits, power] = withoutZeros(coefficient, exponent)
  if (power >= 0 && String(digits).length + power <= MAX_DIGITS)
    return integer(digits * 10n ** BigInt(power))
  const text = `${digits}e${power}`
  const double = Number(text)
  if (!Number.isFinite(double) || double === 0) return new Decimal(digits, power)
  const [same, scale] = parts(double)
  return same === digits && scale === power ? double : new Decimal(digits, power)
}

/** The one form of an integer. */
export function integer(value: bigint): bigint | number {
  return value <= MAX_SAFE && value >= -MAX_SAFE ? Number(value) : value
}
const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)

/** Coefficient and exponent of any number: exact, the coefficient not divisible by ten unless it is zero. */
export function parts(value: RegoNumber): readonly [coefficient: bigint, exponent: number] {
  if (value instanceof Decimal) return [value.coefficient, value.exponent]
  if (typeof value === 'bigint') return withoutZeros(value, 0)
  if (Number.isSafeInteger(value)) return withoutZeros(BigInt(value), 0)
  const [, sign = '', whole = '', fraction = '', power = '0'] = NUMBER.exec(String(value)) ?? []
  return withoutZeros(BigInt(sign + whole + fraction), Number(power) - fraction.length)
}

function withoutZeros(coefficient: bigint, exponent: number): readonly [bigint, number] {
  if (coefficient === 0n) return [0n, 0]
  const text = String(coefficient)
  let zeros = 0
  while (text[text.length - 1 - zeros] === '0') zeros++
  return zeros === 0
    ? [coefficient, exponent]
    : [BigInt(text.slice(0, text.length - zeros)), exponent + zeros]
}

export function isNumber(value: unknown): value is RegoNumber {
  return typeof value === 'number' || typeof value === 'bigint' || value instanceof Decimal
}

export function isInteger(value: RegoNumber): boolean {
  if (typeof value === 'bigint') return true
  return value instanceof Decimal ? value.exponent >= 0 : Number.isInteger(value)
}

/** Negative, zero or positive. */
export function compareNumbers(a: RegoNumber, b: RegoNumber): number {
  if (!(a instanceof Decimal) && !(b instanceof Decimal)) return a < b ? -1 : a > b ? 1 : 0
  const [x, i] = parts(a)
  const [y, j] = parts(b)
  const signs = signOf(x) - signOf(y)
  if (signs !== 0) return signs
  const sizes = magnitude(x, i) - magnitude(y, j)
  if (sizes !== 0) return sizes * signOf(x)
  const [left, right] = i >= j ? [x * 10n ** BigInt(i - j), y] : [x, y * 10n ** BigInt(j - i)]
  return left < right ? -1 : left > right ? 1 : 0
}

function signOf(value: bigint): number {
  return value < 0n ? -1 : value > 0n ? 1 : 0
}

/** Where the first digit stands: equal magnitudes differ by the length of their coefficients only, which bounds the work above. */
function magnitude(coefficient: bigint, exponent: number): number {
  return String(coefficient < 0n ? -coefficient : coefficient).length + exponent
}

/** As JSON has it, every digit kept. */
export function numberText(value: RegoNumber): string {
  return String(value)
}
