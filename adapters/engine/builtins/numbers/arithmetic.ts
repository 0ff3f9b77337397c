/** Arithmetic on numbers, and what the same signs mean for sets. The digits are OPA's: see value/arithmetic.ts. */
import {
  absolute,
  ceiling,
  floor,
  minus,
  over,
  plus,
  type Refusal,
  remainder,
  round,
  times,
} from '../../value/arithmetic.ts'
import { isNumber, type RegoNumber } from '../../value/number.ts'
import { RegoSet, type Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { difference } from '../collections/sets.ts'
import { wrongType } from '../operands.ts'

/** Digits of an operand, in hundreds: what a product of long integers costs is counted. */
function spendDigits(context: Context, value: RegoNumber): void {
  if (typeof value === 'bigint' && (value > LONG || value < -LONG))
    context.spend(Math.ceil(value.toString(16).length / 100))
}
const LONG = 1n << 1024n

function answered(context: Context, result: RegoNumber | Refusal): RegoNumber | undefined {
  return typeof result === 'string' ? fail(context, result) : result
}

function binary(compute: (a: RegoNumber, b: RegoNumber) => RegoNumber | Refusal): Builtin {
  return (context, a: Value, b: Value) => {
    if (!isNumber(a)) return wrongType(context, 1, a, 'number')
    if (!isNumber(b)) return wrongType(context, 2, b, 'number')
    spendDigits(context, a)
    spendDigits(context, b)
    return answered(context, compute(a, b))
  }
}

function unary(compute: (value: RegoNumber) => RegoNumber | Refusal): Builtin {
  return (context, value: Value) =>
    isNumber(value) ? answered(context, compute(value)) : wrongType(context, 1, value, 'number')
}

const subtract: Builtin = (context, a: Value, b: Value) => {
  if (isNumber(a) && isNumber(b)) return answered(context, minus(a, b))
  if (a instanceof RegoSet && b instanceof RegoSet) return difference(a, b)
  if (!isNumber(a) && !(a instanceof RegoSet)) return wrongType(context, 1, a, 'number', 'set')
  return wrongType(context, 2, b, isNumber(b) ? 'set' : 'number')
}

export const ARITHMETIC: Family = {
  abs: unary(absolute),
  ceil: unary(ceiling),
  div: binary(over),
  floor: unary(floor),
  minus: subtract,
  mul: binary(times),
  plus: binary(plus),
  rem: binary(remainder),
  round: unary(round),
}
