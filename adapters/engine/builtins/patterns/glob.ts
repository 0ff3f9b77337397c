/**
 * `glob.*`: `?`, `*` up to a delimiter, `**` beyond it, classes and alternatives, as in gobwas/glob. The text is matched against all ways
 * through the pattern at once, so that no pattern takes more than its length times that of the text.
 */
import { isArray, type Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { ofText, wrongElement, wrongType } from '../operands.ts'
import { Cache } from './cache.ts'
import { type Glob, globOf } from './glob-program.ts'

const match: Builtin = (context, pattern: Value, delimiters: Value, text: Value) => {
  if (typeof pattern !== 'string') return wrongType(context, 1, pattern, 'string')
  const separators = separatorsIn(context, delimiters)
  if (separators === undefined) return undefined
  if (typeof text !== 'string') return wrongType(context, 3, text, 'string')
  // A delimiter is one character, so that the last NUL is where the pattern begins.
  const glob = GLOBS.get(`${separators}\0${pattern}`)
  return glob === null ? fail(context, 'the glob is invalid') : glob.matches(context, text)
}

const GLOBS = new Cache<Glob | null>(512, (key) => {
  const end = key.indexOf('\0')
  return globOf(key.slice(end + 1), key.slice(0, end)) ?? null
})

/** None for null, a dot where the list is empty. */
function separatorsIn(context: Context, delimiters: Value): string | undefined {
  if (delimiters === null) return ''
  if (!isArray(delimiters)) return wrongType(context, 2, delimiters, 'array', 'null')
  for (const delimiter of delimiters)
    if (typeof delimiter !== 'string' || [...delimiter].length !== 1)
      return wrongElement(context, 2, delimiters, 'rune')
  return delimiters.length === 0 ? '.' : delimiters.join('')
}

export const GLOB: Family = {
  'glob.match': match,
  'glob.quote_meta': ofText((_context, text) => text.replace(/[*?\\[\]{}]/g, '\\$&')),
}
