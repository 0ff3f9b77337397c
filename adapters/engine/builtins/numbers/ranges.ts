/** Ranges of integers, and numbers from texts and as texts. */
import { truncated } from '../../value/arithmetic.ts'
import { integer, isNumber, readNumber } from '../../value/number.ts'
import type { Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail, typeFailure } from '../builtin.ts'
import { bigOperand, wrongType } from '../operands.ts'

const range: Builtin = (context, from: Value, to: Value) => {
  const start = bigOperand(context, 1, from)
  const stop = start === undefined ? undefined : bigOperand(context, 2, to)
  if (start === undefined || stop === undefined) return undefined
  return between(context, start, stop, 1n)
}

const rangeStep: Builtin = (context, from: Value, to: Value, step: Value) => {
  const start = bigOperand(context, 1, from)
  const stop = start === undefined ? undefined : bigOperand(context, 2, to)
  const by = stop === undefined ? undefined : bigOperand(context, 3, step)
  if (start === undefined || stop === undefined || by === undefined) return undefined
  if (by <= 0n) return fail(context, 'numbers.range_step: step must be a positive integer')
  return between(context, start, stop, by)
}

/** An array cannot be longer, whatever the budget. */
const MAX_LENGTH = 2 ** 32 - 1

/** What an integer beyond 2^53 - 1 takes, in numbers. */
const LARGE = 4

/** Both ends belong to it, in either direction. Paid for before it is made. */
function between(
  context: Context,
  start: bigint,
  stop: bigint,
  step: bigint,
): readonly Value[] | undefined {
  const up = start <= stop
  const length = Number((up ? stop - start : start - stop) / step) + 1
  const isSmall = typeof integer(start) === 'number' && typeof integer(stop) === 'number'
  context.spend(isSmall ? length : length * LARGE)
  if (length > MAX_LENGTH) return fail(context, 'the range is too long')
  const first = integer(start)
  const last = integer(stop)
  if (typeof first === 'number' && typeof last === 'number') {
    const by = Number(step) * (up ? 1 : -1)
    return Array.from({ length }, (_, i) => (i === 0 ? first : first + i * by))
  }
  const by = up ? step : -step
  return Array.from({ length }, (_, i) => integer(start + BigInt(i) * by))
}

/** What Go's ParseFloat takes and a number of Rego can be. */
const NUMERIC = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/

const toNumber: Builtin = (context, value: Value) => {
  if (value === null) return 0
  if (typeof value === 'boolean') return value ? 1 : 0
  if (isNumber(value)) return value
  if (typeof value !== 'string')
    return wrongType(context, 1, value, 'null', 'boolean', 'number', 'string')
  const double = Number(value)
  if (Number.isSafeInteger(double) && String(double) === value) return double
  if (/^[+-]*(?:inf|infinity|nan)$/i.test(value))
    return wrongType(context, 1, value, 'valid number string')
  const [, sign, whole, fraction = '', power = '0'] = NUMERIC.exec(value) ?? []
  if (whole === undefined || whole + fraction === '') return fail(context, 'invalid syntax')
  // OPA reads it as a double first, which must hold its size.
  if (!Number.isFinite(double)) return fail(context, 'value out of range')
  const text = `${sign === '-' ? '-' : ''}${whole === '' ? '0' : whole}.${fraction === '' ? '0' : fraction}e${power}`
  return readNumber(text) ?? fail(context, 'value out of range')
}

const BASES: ReadonlySet<Value> = new Set([2, 8, 10, 16])

const formatInt: Builtin = (context, value: Value, base: Value) => {
  if (!isNumber(value)) return wrongType(context, 1, value, 'number')
  if (!isNumber(base)) return wrongType(context, 2, base, 'number')
  if (!BASES.has(base)) return typeFailure(context, 'operand 2 must be one of {2, 8, 10, 16}')
  const cut = truncated(value)
  return cut === undefined ? fail(context, 'too large') : cut.toString(base as number)
}

export const RANGES: Family = {
  'numbers.range': range,
  'numbers.range_step': rangeStep,
  to_number: toNumber,
  format_int: formatInt,
}
