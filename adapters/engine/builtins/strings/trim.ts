/** Texts without what stands at their ends. A cutset is a set of code points. */
import type { Family } from '../builtin.ts'
import { ofText, ofTwoTexts } from '../operands.ts'

/** Go's white space, which has U+0085 and has not U+FEFF. */
const BLANK = '[\\t-\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000]'
const BLANKS_BEFORE = new RegExp(`^${BLANK}+`)
const IS_BLANK = new RegExp(BLANK)

function trimSpace(text: string): string {
  const start = BLANKS_BEFORE.exec(text)?.[0].length ?? 0
  let end = text.length
  // A pattern for the end would be tried at every blank in the middle.
  while (end > start && IS_BLANK.test(text[end - 1] as string)) end--
  return text.slice(start, end)
}

function trimLeft(text: string, cutset: string): string {
  let start = 0
  for (const char of text) {
    if (!cutset.includes(char)) break
    start += char.length
  }
  return text.slice(start)
}

function trimRight(text: string, cutset: string): string {
  let end = text.length
  while (end > 0) {
    const char = lastOf(text, end)
    if (!cutset.includes(char)) break
    end -= char.length
  }
  return text.slice(0, end)
}

/** The code point that ends there. */
function lastOf(text: string, end: number): string {
  const pair = text.slice(Math.max(0, end - 2), end)
  return /^[\ud800-\udbff][\udc00-\udfff]$/.test(pair) ? pair : text.slice(end - 1, end)
}

export const TRIM: Family = {
  trim: ofTwoTexts((_context, text, cutset) => trimRight(trimLeft(text, cutset), cutset)),
  trim_left: ofTwoTexts((_context, text, cutset) => trimLeft(text, cutset)),
  trim_right: ofTwoTexts((_context, text, cutset) => trimRight(text, cutset)),
  trim_prefix: ofTwoTexts((_context, text, prefix) =>
    text.startsWith(prefix) ? text.slice(prefix.length) : text,
  ),
  trim_suffix: ofTwoTexts((_context, text, suffix) =>
    text.endsWith(suffix) ? text.slice(0, text.length - suffix.length) : text,
  ),
  trim_space: ofText((_context, text) => trimSpace(text)),
}
