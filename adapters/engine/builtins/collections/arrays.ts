/** Arrays made of arrays. Paid for by their length, before they are made. */
import { isArray, type Value } from '../../value/value.ts'
import type { Family } from '../builtin.ts'
import { intOperand, wrongType } from '../operands.ts'

export const ARRAYS: Family = {
  'array.concat': (context, a: Value, b: Value) => {
    if (!isArray(a)) return wrongType(context, 1, a, 'array')
    if (!isArray(b)) return wrongType(context, 2, b, 'array')
    if (a.length === 0 || b.length === 0) return a.length === 0 ? b : a
    context.spend(a.length + b.length)
    return [...a, ...b]
  },
  'array.flatten': (context, value: Value) => {
    if (!isArray(value)) return wrongType(context, 1, value, 'array')
    for (const one of value) context.spend(isArray(one) ? one.length + 1 : 1)
    return value.flat()
  },
  'array.reverse': (context, value: Value) => {
    if (!isArray(value)) return wrongType(context, 1, value, 'array')
    context.spend(value.length)
    return value.toReversed()
  },
  /** Bounds beyond the array are its ends; a range the wrong way round is empty. */
  'array.slice': (context, value: Value, from: Value, to: Value) => {
    if (!isArray(value)) return wrongType(context, 1, value, 'array')
    const start = intOperand(context, 2, from)
    const stop = start === undefined ? undefined : intOperand(context, 3, to)
    if (start === undefined || stop === undefined) return undefined
    const [first, end] = [Math.max(0, start), Math.min(value.length, Math.max(0, stop))]
    if (end > first) context.spend(end - first)
    return value.slice(first, end)
  },
}
