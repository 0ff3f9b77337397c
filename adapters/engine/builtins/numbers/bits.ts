/** Bits of integers of any size, negative ones as if in two's complement without end. */
import { bounded, MAX_BITS } from '../../value/arithmetic.ts'
import { integer } from '../../value/number.ts'
import type { Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail, typeFailure } from '../builtin.ts'
import { bigOperand } from '../operands.ts'

function binary(compute: (context: Context, a: bigint, b: bigint) => bigint | undefined): Builtin {
  return (context, a: Value, b: Value) => {
    const x = bigOperand(context, 1, a)
    const y = x === undefined ? undefined : bigOperand(context, 2, b)
    const result = x === undefined || y === undefined ? undefined : compute(context, x, y)
    return result === undefined ? undefined : integer(result)
  }
}

/** OPA shifts by the low 64 bits, and stops for good where they are many. */
function shiftLeft(context: Context, value: bigint, by: bigint): bigint | undefined {
  const distance = shift(context, by)
  if (distance === undefined || value === 0n) return distance === undefined ? undefined : 0n
  if (distance > BigInt(MAX_BITS)) return fail(context, 'too large')
  context.spend(Math.ceil(Number(distance) / 400))
  const shifted = value << distance
  return bounded(shifted) ? shifted : fail(context, 'too large')
}

function shiftRight(context: Context, value: bigint, by: bigint): bigint | undefined {
  const distance = shift(context, by)
  if (distance === undefined) return undefined
  // Nothing but the sign is left beyond this.
  return distance > BigInt(2 * MAX_BITS) ? (value < 0n ? -1n : 0n) : value >> distance
}

function shift(context: Context, by: bigint): bigint | undefined {
  if (by >= 0n) return BigInt.asUintN(64, by)
  return typeFailure(
    context,
    'operand 2 must be an unsigned integer number but got a negative integer',
  )
}

export const BITS: Family = {
  'bits.and': binary((_context, a, b) => a & b),
  'bits.or': binary((_context, a, b) => a | b),
  'bits.xor': binary((_context, a, b) => a ^ b),
  'bits.lsh': binary(shiftLeft),
  'bits.rsh': binary(shiftRight),
  'bits.negate': (context, value: Value) => {
    const bits = bigOperand(context, 1, value)
    return bits === undefined ? undefined : integer(~bits)
  },
}
