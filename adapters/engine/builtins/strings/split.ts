/** Texts into parts, and parts into a text. */
import type { Value } from '../../value/value.ts'
import type { Builtin, Family } from '../builtin.ts'
import { intOperand, ofTwoTexts, stringsOf, wrongType } from '../operands.ts'

/** Nothing between the parts means each code point. */
function split(text: string, delimiter: string): readonly string[] {
  if (delimiter !== '') return text.split(delimiter)
  return text === '' ? [] : [...text]
}

/** The first `count` parts, or the last ones where it is negative. What lies beyond is dropped. */
const splitN: Builtin = (context, text: Value, delimiter: Value, count: Value) => {
  if (typeof text !== 'string') return wrongType(context, 1, text, 'string')
  if (typeof delimiter !== 'string') return wrongType(context, 2, delimiter, 'string')
  const n = intOperand(context, 3, count)
  if (n === undefined) return undefined
  const parts = split(text, delimiter)
  return n >= 0 ? parts.slice(0, n) : parts.slice(n)
}

const concat: Builtin = (context, delimiter: Value, parts: Value) => {
  if (typeof delimiter !== 'string') return wrongType(context, 1, delimiter, 'string')
  return stringsOf(context, 2, parts)?.join(delimiter)
}

export const SPLIT: Family = {
  concat,
  split: ofTwoTexts((_context, text, delimiter) => split(text, delimiter)),
  'strings.split_n': splitN,
}
