/** `regex.*`: Go's regexp. */
import type { Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { intOperand, ofTwoTexts, wrongType } from '../operands.ts'
import { isPattern, type Match, type Pattern, patternOf } from './compiled.ts'
import { globsMeet } from './globs-meet.ts'

const match: Builtin = ofTwoTexts((context, pattern, text) =>
  patternOf(context, pattern)?.matches(context, text),
)

function found(
  context: Context,
  operands: readonly Value[],
  of: (text: string, match: Match) => Value,
): Value | undefined {
  const [pattern = null, text = null, limit = null] = operands
  if (typeof pattern !== 'string') return wrongType(context, 1, pattern, 'string')
  if (typeof text !== 'string') return wrongType(context, 2, text, 'string')
  const count = intOperand(context, 3, limit)
  if (count === undefined) return undefined
  const matches = patternOf(context, pattern)?.find(context, text, count)
  return matches?.map((one) => of(text, one))
}

/** A group that took no part is empty. */
function group(text: string, match: Match, index: number): string {
  const start = match[2 * index] ?? -1
  return start < 0 ? '' : text.slice(start, match[2 * index + 1])
}

function groups(text: string, match: Match): readonly string[] {
  return Array.from({ length: match.length / 2 }, (_, i) => group(text, match, i))
}

const replace: Builtin = (context, text: Value, pattern: Value, template: Value) => {
  if (typeof text !== 'string') return wrongType(context, 1, text, 'string')
  if (typeof pattern !== 'string') return wrongType(context, 2, pattern, 'string')
  if (typeof template !== 'string') return wrongType(context, 3, template, 'string')
  const compiled = patternOf(context, pattern)
  if (compiled === undefined) return undefined
  let result = ''
  let last = 0
  for (const one of compiled.find(context, text, -1)) {
    const [start = 0, end = 0] = one
    result += text.slice(last, start) + expanded(template, compiled, text, one)
    last = end
  }
  return result + text.slice(last)
}

/** `$1`, `$name`, `${name}` and `$$`; a dollar sign before anything else is one. */
const REFERENCE = /\$(?:\$|([\p{L}\p{Nd}_]+)|\{([\p{L}\p{Nd}_]+)\})/gu
const INDEX = /^(?:0|[1-9]\d{0,7})$/

function expanded(template: string, pattern: Pattern, text: string, match: Match): string {
  if (!template.includes('$')) return template
  return template.replace(REFERENCE, (_all, bare?: string, braced?: string) => {
    const name = bare ?? braced
    if (name === undefined) return '$'
    const index = INDEX.test(name) ? Number(name) : namedGroup(pattern, name)
    return group(text, match, index)
  })
}

/** One that no match has, where there is no such name. */
function namedGroup(pattern: Pattern, name: string): number {
  const { names } = pattern
  return Object.hasOwn(names, name) ? (names[name] as number) : Number.MAX_SAFE_INTEGER
}

function split(context: Context, pattern: string, text: string): Value | undefined {
  if (pattern !== '' && text === '') return patternOf(context, pattern) && ['']
  const matches = patternOf(context, pattern)?.find(context, text, -1)
  if (matches === undefined) return undefined
  const parts: string[] = []
  let begin = 0
  let end = 0
  for (const [start = 0, stop = 0] of matches) {
    end = start
    if (stop !== 0) parts.push(text.slice(begin, end))
    begin = stop
  }
  if (end !== text.length) parts.push(text.slice(begin))
  return parts
}

/** Patterns between delimiters in a text that is otherwise taken as it is. */
const templateMatch: Builtin = (context, ...operands: Value[]) => {
  for (const [i, operand] of operands.entries())
    if (typeof operand !== 'string') return wrongType(context, i + 1, operand, 'string')
  const [template, text, start, end] = operands as [string, string, string, string]
  if (!DELIMITER.test(start) || !DELIMITER.test(end))
    return fail(context, 'a delimiter has to be exactly one character long')
  const pattern = fromTemplate(context, template, start, end)
  return pattern === undefined ? undefined : patternOf(context, pattern)?.matches(context, text)
}
/** One byte in UTF-8. */
const DELIMITER = /^\p{ASCII}$/u

function fromTemplate(
  context: Context,
  template: string,
  start: string,
  end: string,
): string | undefined {
  let pattern = '^'
  let level = 0
  let opened = 0
  let closed = 0
  for (let i = 0; i < template.length; i++) {
    const char = template[i]
    // A delimiter that opens and closes alike only opens.
    if (char === start) {
      if (++level === 1) opened = i
    } else if (char === end && --level === 0) {
      const inner = template.slice(opened + 1, i)
      if (!isPattern(`^${inner}$`)) return fail(context, 'a part that is no regular expression')
      pattern += `${quoteMeta(template.slice(closed, opened))}(${inner})`
      closed = i + 1
    }
    if (level < 0) break
  }
  if (level !== 0) return fail(context, 'unbalanced delimiters')
  return `${pattern}${quoteMeta(template.slice(closed))}$`
}

function quoteMeta(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')
}

export const REGEX: Family = {
  re_match: match,
  'regex.find_all_string_submatch_n': (context, ...operands) => found(context, operands, groups),
  'regex.find_n': (context, ...operands) =>
    found(context, operands, (text, one) => group(text, one, 0)),
  'regex.globs_match': ofTwoTexts(globsMeet),
  'regex.is_valid': (_context, pattern: Value) => typeof pattern === 'string' && isPattern(pattern),
  'regex.match': match,
  'regex.replace': replace,
  'regex.split': ofTwoTexts(split),
  'regex.template_match': templateMatch,
}
