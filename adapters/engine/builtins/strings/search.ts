/** What a text holds, and where. Positions and lengths are code points. */
import type { Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { codePoints } from '../collections/aggregates.ts'
import { intOperand, ofText, ofTwoTexts, wrongType } from '../operands.ts'

function indexOf(context: Context, text: string, search: string): Value | undefined {
  if (search === '') return fail(context, 'empty search character')
  const index = text.indexOf(search)
  return index <= 0 ? index : codePoints(text.slice(0, index))
}

/** Occurrences may overlap. */
function indexesOf(context: Context, text: string, search: string): readonly Value[] | undefined {
  if (search === '') return fail(context, 'empty search character')
  const found: number[] = []
  let points = 0
  let last = 0
  for (let at = text.indexOf(search); at >= 0; at = text.indexOf(search, at + 1)) {
    // Each try may go through all of what is looked for.
    context.spend(1 + Math.floor(search.length / 100))
    points += codePoints(text.slice(last, at))
    last = at
    found.push(points)
  }
  return found
}

/** An empty text is found before each code point, and at the end. */
function countOf(text: string, search: string): number {
  if (search === '') return codePoints(text) + 1
  let count = 0
  for (let at = text.indexOf(search); at >= 0; at = text.indexOf(search, at + search.length))
    count++
  return count
}

const SURROGATE = /[\ud800-\udfff]/

const substring: Builtin = (context, text: Value, offset: Value, length: Value) => {
  if (typeof text !== 'string') return wrongType(context, 1, text, 'string')
  const start = intOperand(context, 2, offset)
  const size = start === undefined ? undefined : intOperand(context, 3, length)
  if (start === undefined || size === undefined) return undefined
  if (start < 0) return fail(context, 'negative offset')
  const stop = size < 0 ? Number.POSITIVE_INFINITY : start + size
  return SURROGATE.test(text) ? [...text].slice(start, stop).join('') : text.slice(start, stop)
}

const reverse = (text: string): string => {
  let reversed = ''
  for (const char of text) reversed = char + reversed
  return reversed
}

export const SEARCH: Family = {
  contains: ofTwoTexts((_context, text, part) => text.includes(part)),
  endswith: ofTwoTexts((_context, text, suffix) => text.endsWith(suffix)),
  startswith: ofTwoTexts((_context, text, prefix) => text.startsWith(prefix)),
  indexof: ofTwoTexts((context, text, search) => indexOf(context, text, search)),
  indexof_n: ofTwoTexts((context, text, search) => indexesOf(context, text, search)),
  'strings.count': ofTwoTexts((_context, text, search) => countOf(text, search)),
  'strings.reverse': ofText((_context, text) => reverse(text)),
  substring,
}
