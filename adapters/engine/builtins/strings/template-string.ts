/** What the compiler makes of `$"…{expression}…"`: texts as they are, and each expression as the set of its values, which is empty for undefined. */
import { isNumber } from '../../value/number.ts'
import { formatTerm } from '../../value/term.ts'
import { isArray, RegoSet, type Value } from '../../value/value.ts'
import { type Builtin, type Context, type Family, fail } from '../builtin.ts'
import { wrongElement, wrongType } from '../operands.ts'

const templateString: Builtin = (context, parts: Value) => {
  if (!isArray(parts)) return wrongType(context, 1, parts, 'array')
  let text = ''
  for (const part of parts) {
    const shown = shownAs(context, parts, part)
    if (shown === undefined) return undefined
    text += shown
  }
  return text
}

function shownAs(context: Context, parts: Value, part: Value): string | undefined {
  if (part instanceof RegoSet) {
    const [only = null] = part.values()
    if (part.size > 1) return fail(context, 'template-strings must not produce multiple outputs')
    return part.size === 0 ? '<undefined>' : plain(only)
  }
  const isScalar = typeof part !== 'object' || part === null || isNumber(part)
  return isScalar ? plain(part) : wrongElement(context, 1, parts, 'scalar')
}

function plain(value: Value): string {
  return typeof value === 'string' ? value : formatTerm(value)
}

export const TEMPLATE_STRING: Family = { 'internal.template_string': templateString }
