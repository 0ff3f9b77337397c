/** Arrays made of arrays. */
import { isArray, type Value } from '../../value/value.ts'
import type { Family } from '../builtin.ts'
import { intOperand, wrongType } from '../operands.ts'

export const ARRAYS: Family = {
  'array.concat': (context, a: Value, b: Value) => {
    if (!isArray(a)) return wrongType(context, 1, a, 'array')
    if (!isArray(b)) return wrongType(context, 2, b, 'array')
    return a.length === 0 ? b : b.length === 0 ? a : [...a, ...b]
  },
  'array.flatten': (context, value: Value) =>
    isArray(value) ? value.flat() : wrongType(context, 1, value, 'array'),
  'array.reverse': (context, value: Value) =>
    isArray(value) ? value.toReversed() : wrongType(context, 1, value, 'array'),
  /** Bounds beyond the array are its ends; a range the wrong way round is empty. */
  'array.slice': (context, value: Value, from: Value, to: Value) => {
    if (!isArray(value)) return wrongType(context, 1, value, 'array')
    const start = intOperand(context, 2, from)
    const stop = start === undefined ? undefined : intOperand(context, 3, to)
    if (start === undefined || stop === undefined) return undefined
    return value.slice(Math.max(0, start), Math.max(0, stop))
  },
}
