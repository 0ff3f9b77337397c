/** Operands as OPA reads them: what it says of one that does not fit, and integers. */
import { bigint } from '../value/arithmetic.ts'
import { isInteger, isNumber } from '../value/number.ts'
import { isArray, RegoSet, typeName, type Value } from '../value/value.ts'
import { type Builtin, type Context, typeFailure } from './builtin.ts'

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
  if (typeof value === 'number' && Number.isInteger(value)) return value
  const whole = bigOperand(context, position, value)
  if (whole === undefined) return undefined
  if (BigInt.asIntN(64, whole) === whole) return Number(whole)
  return typeFailure(context, `operand ${position} must be integer number of 64 bits`)
}

/** Undefined with the failure set where the value is no array or set of strings. */
export function stringsOf(
  context: Context,
  position: number,
  value: Value,
): readonly string[] | undefined {
  const elements = elementsOf(value)
  if (elements === undefined) return wrongType(context, position, value, 'array', 'set')
  for (const element of elements)
    if (typeof element !== 'string') return wrongElement(context, position, value, 'string')
  return elements as readonly string[]
}

/** A built-in of one string. */
export function ofText(compute: (context: Context, text: string) => Value | undefined): Builtin {
  return (context, text: Value) =>
    typeof text === 'string' ? compute(context, text) : wrongType(context, 1, text, 'string')
}

/** A built-in of two strings: checked in order. */
export function ofTwoTexts(
  compute: (context: Context, a: string, b: string) => Value | undefined,
): Builtin {
  return (context, a: Value, b: Value) => {
    if (typeof a !== 'string') return wrongType(context, 1, a, 'string')
    return typeof b === 'string' ? compute(context, a, b) : wrongType(context, 2, b, 'string')
  }
}
