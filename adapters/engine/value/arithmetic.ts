/**
 * Rego's arithmetic with OPA's own digits: integers exactly, all else as binary floats of 64 bits ({@link Float}). Whole numbers within
 * ±2^53 take the short way.
 *
 * @see OPA's v1/topdown/arithmetic.go
 */
import { add, divide, type Float, floatOf, multiply, negate, numberOf, truncate } from './float.ts'
import { Decimal, integer, isInteger, type RegoNumber } from './number.ts'

/** Why there is no result. */
export type Refusal = 'divide by zero' | 'modulo by zero' | 'modulo on a fraction' | 'too large'

/** Bits that a result may have: some 300,000 digits. OPA has no such bound, and stops for minutes. */
export const MAX_BITS = 1_000_000

export function plus(a: RegoNumber, b: RegoNumber): RegoNumber | Refusal {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a)) {
    const sum = a + b
    if (Number.isSafeInteger(b) && Number.isSafeInteger(sum)) return sum
  }
  return exactly(a, b, (x, y) => x + y) ?? inFloats(a, b, add)
}

export function minus(a: RegoNumber, b: RegoNumber): RegoNumber | Refusal {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a)) {
    const difference = a - b
    if (Number.isSafeInteger(b) && Number.isSafeInteger(difference)) return difference
  }
  return exactly(a, b, (x, y) => x - y) ?? inFloats(a, b, (x, y) => add(x, negate(y)))
}

export function times(a: RegoNumber, b: RegoNumber): RegoNumber | Refusal {
  if (typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a)) {
    const product = a * b
    // Zero times a negative number is -0 here, and 0 in Rego.
    if (Number.isSafeInteger(b) && Number.isSafeInteger(product)) return product + 0
  }
  return exactly(a, b, (x, y) => x * y) ?? inFloats(a, b, multiply)
}

export function over(a: RegoNumber, b: RegoNumber): RegoNumber | Refusal {
  if (b === 0) return 'divide by zero'
  if (typeof a === 'number' && typeof b === 'number') {
    const quotient = shortQuotient(a, b)
    if (quotient !== undefined) return quotient
  }
  return inFloats(a, b, divide)
}

/** Quotients without a rest, or with a few binary places: no rounding in either precision, and few enough digits to be exact. */
function shortQuotient(a: number, b: number): number | undefined {
  if (!Number.isSafeInteger(a) || !Number.isSafeInteger(b)) return undefined
  const quotient = a / b
  if (a % b === 0) return quotient + 0
  const scaled = quotient * 1024
  if (Math.abs(quotient) > 1e5 || Math.abs(a) > 2 ** 43 || !Number.isInteger(scaled))
    return undefined
  return Number.isSafeInteger(scaled * b) && scaled * b === a * 1024 ? quotient : undefined
}

export function remainder(a: RegoNumber, b: RegoNumber): RegoNumber | Refusal {
  if (!isInteger(a) || !isInteger(b)) return 'modulo on a fraction'
  if (b === 0) return 'modulo by zero'
  if (typeof a === 'number' && typeof b === 'number') return (a % b) + 0
  return exactly(a, b, (x, y) => x % y) ?? 'too large'
}

export function absolute(value: RegoNumber): RegoNumber | Refusal {
  if (isShort(value)) return Math.abs(value)
  const float = floatOf(value)
  if (float === undefined) return 'too large'
  return numberOf(float.mantissa < 0n ? negate(float) : float)
}

/** Half away from zero. */
export function round(value: RegoNumber): RegoNumber | Refusal {
  return whole(value, (float) => truncate(add(float, float.mantissa < 0n ? MINUS_HALF : HALF)))
}

/** OPA takes -0.5 to 1, and so does this: a bundle must not decide otherwise here. */
export function ceiling(value: RegoNumber): RegoNumber | Refusal {
  return whole(value, (float) => {
    const cut = truncate(float)
    return cut < 0n || isWhole(float) ? cut : cut + 1n
  })
}

/** OPA takes -0.5 to 0, and so does this. */
export function floor(value: RegoNumber): RegoNumber | Refusal {
  return whole(value, (float) => {
    const cut = truncate(float)
    return cut >= 0n || isWhole(float) ? cut : cut - 1n
  })
}

/** Undefined where it is no integer, or one of more digits than a BigInt should have. */
export function bigint(value: RegoNumber): bigint | undefined {
  if (typeof value === 'bigint') return value
  return typeof value === 'number' && Number.isInteger(value) ? BigInt(value) : undefined
}

/** Towards zero; undefined where the number is out of bounds. */
export function truncated(value: RegoNumber): bigint | undefined {
  const exact = bigint(value)
  if (exact !== undefined) return exact
  const float = floatOf(value)
  return float === undefined ? undefined : truncate(float)
}

const HALF: Float = { mantissa: 1n, exponent: -1, precision: 53 }
const MINUS_HALF: Float = negate(HALF)

/** OPA computes these beyond 32 bits in floats: what 64 bits hold is the same here and there. */
function isShort(value: RegoNumber): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value)
}

function whole(value: RegoNumber, cut: (float: Float) => bigint): RegoNumber | Refusal {
  if (isShort(value)) return value
  const float = floatOf(value)
  return float === undefined ? 'too large' : integer(cut(float))
}

function isWhole(float: Float): boolean {
  return float.exponent >= 0 || (float.mantissa & ((1n << BigInt(-float.exponent)) - 1n)) === 0n
}

function exactly(
  a: RegoNumber,
  b: RegoNumber,
  compute: (x: bigint, y: bigint) => bigint,
): RegoNumber | Refusal | undefined {
  const x = bigint(a)
  const y = bigint(b)
  if (x !== undefined && y !== undefined) {
    const result = compute(x, y)
    return bounded(result) ? integer(result) : 'too large'
  }
  // An integer too long to be written out has no float either.
  return isTooLong(a) || isTooLong(b) ? 'too large' : undefined
}

export function bounded(value: bigint): boolean {
  return value < LIMIT && value > -LIMIT
}
const LIMIT = 1n << BigInt(MAX_BITS)

function isTooLong(value: RegoNumber): boolean {
  return value instanceof Decimal && value.exponent >= 0
}

function inFloats(
  a: RegoNumber,
  b: RegoNumber,
  compute: (x: Float, y: Float) => Float,
): RegoNumber | Refusal {
  const x = floatOf(a)
  const y = floatOf(b)
  return x === undefined || y === undefined ? 'too large' : numberOf(compute(x, y))
}
