/** Capital and small letters, one code point for one: Go's simple mapping, where JavaScript makes `SS` of `ß`. */
import type { Family } from '../builtin.ts'
import { ofText } from '../operands.ts'

const ASCII = /^\p{ASCII}*$/u
/** Letters that got a partner after Unicode 15, which is what OPA has: decisions must not depend on the runtime's tables. */
const NEWER =
  /[\u019b\u0264\u1c89\u1c8a\ua7cb-\ua7cf\ua7d2-\ua7d5\ua7da-\ua7dc\u{10d50}-\u{10d85}\u{16ea0}-\u{16ed3}]/u

export function lower(text: string): string {
  return ASCII.test(text) ? text.toLowerCase() : mapped(text, lowerOf)
}

export function upper(text: string): string {
  return ASCII.test(text) ? text.toUpperCase() : mapped(text, upperOf)
}

function mapped(text: string, map: (char: string) => string): string {
  let result = ''
  for (const char of text) result += NEWER.test(char) ? char : map(char)
  return result
}

/** Only İ becomes two: the first is its simple mapping. */
function lowerOf(char: string): string {
  const [first = ''] = char.toLowerCase()
  return first
}

function upperOf(char: string): string {
  const upper = char.toUpperCase()
  const point = upper.codePointAt(0) as number
  const single = upper.length === (point > 0xffff ? 2 : 1)
  return single ? upper : (titleOf(char) ?? char)
}

/** Greek letters with a small iota below have a title letter, 8 or 9 places on, which is their simple mapping. */
function titleOf(char: string): string | undefined {
  const point = char.codePointAt(0) as number
  for (const distance of [8, 9]) {
    const title = String.fromCodePoint(point + distance)
    if (title.toLowerCase() === char) return title
  }
  return undefined
}

export const CASE: Family = {
  lower: ofText((_context, text) => lower(text)),
  upper: ofText((_context, text) => upper(text)),
}
