/** Operands as OPA reads them: what it says of one that does not fit, and integers. */
import { bigint } from '../value/arithmetic.ts'
import { isInteger, isNumber } from '../value/number.ts'
import { isArray, RegoSet, typeName, type Value } from '../value/value.ts'
import { type Context, typeFailure } from './builtin.ts'

/** @param position of the operand, from 1 */
export function wrongType(
  context: Context,
  position: number,
  value: Value,
  ...expected: readonly string[]
): undefined {
  const types = expected.length === 1 ? expected[0] : `one of {${expected.join(', ')}}`
  return typeFailure(context, `operand ${position} must be ${types} but got ${typeName(value)}`)
}

/** An array or a set with an element of a type that the built-in does not take. */
export function wrongElement(
  context: Context,
  position: number,
  value: Value,
  expected: string,
): undefined {
  return typeFailure(
    context,
    `operand ${position} must be ${typeName(value)} of ${expected}s but got ${typeName(value)} of other types`,
  )
}

/** Of an array or a set, in Rego's order. */
export function elementsOf(value: Value): readonly Value[] | undefined {
  if (isArray(value)) return value
  return value instanceof RegoSet ? value.sorted() : undefined
}

/** An integer of any size; undefined with the failure set for anything else. */
export function bigOperand(context: Context, position: number, value: Value): bigint | undefined {
  if (!isNumber(value)) return wrongType(context, position, value, 'number')
  const whole = isInteger(value) ? bigint(value) : undefined
  if (whole !== undefined) return whole
  return typeFailure(
    context,
    `operand ${position} must be integer number but got floating-point number`,
  )
}

/** An integer of 64 bits, as a double: what is beyond 2^53 only ever says how far too large it is. */
export function intOperand(context: Context, position: number, value: Value): number | undefined {
  const whole = bigOperand(context, position, value)
  if (whole === undefined) return undefined
  if (BigInt.asIntN(64, whole) === whole) return Number(whole)
  return typeFailure(context, `operand ${position} must be integer number of 64 bits`)
}
