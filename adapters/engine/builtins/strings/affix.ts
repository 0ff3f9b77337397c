/** Whether any of many texts begins, or ends, with any of many others. */
import type { Value } from '../../value/value.ts'
import type { Builtin, Context, Family } from '../builtin.ts'
import { elementsOf, stringsOf, wrongType } from '../operands.ts'

type End = 'prefix' | 'suffix'

/** Beyond this many affixes a text's own beginnings are looked up instead of trying each affix. */
const FEW = 8

/** By collection, which never changes: a policy asks the same one again and again. */
const TABLES = new WeakMap<object, ReadonlySet<string>>()

function anyMatch(end: End): Builtin {
  return (context, search: Value, base: Value) => {
    const texts = oneOrMany(context, 1, search)
    const affixes = texts === undefined ? undefined : oneOrMany(context, 2, base)
    if (texts === undefined || affixes === undefined) return undefined
    if (affixes.length <= FEW)
      return texts.some((text) => affixes.some((affix) => fits(text, affix, end)))
    const table = tableOf(base as object, affixes)
    return texts.some((text) => beginsIn(context, text, table, end))
  }
}

function oneOrMany(
  context: Context,
  position: number,
  value: Value,
): readonly string[] | undefined {
  if (typeof value === 'string') return [value]
  return elementsOf(value) === undefined
    ? wrongType(context, position, value, 'string', 'set', 'array')
    : stringsOf(context, position, value)
}

function fits(text: string, affix: string, end: End): boolean {
  return end === 'prefix' ? text.startsWith(affix) : text.endsWith(affix)
}

function tableOf(collection: object, affixes: readonly string[]): ReadonlySet<string> {
  const known = TABLES.get(collection)
  if (known !== undefined) return known
  const table = new Set(affixes)
  TABLES.set(collection, table)
  return table
}

function beginsIn(context: Context, text: string, table: ReadonlySet<string>, end: End): boolean {
  // Each look-up hashes as many characters as it is long.
  context.spend(1 + Math.ceil((text.length * text.length) / 1000))
  for (let length = 0; length <= text.length; length++)
    if (table.has(end === 'prefix' ? text.slice(0, length) : text.slice(text.length - length)))
      return true
  return false
}

export const AFFIX: Family = {
  'strings.any_prefix_match': anyMatch('prefix'),
  'strings.any_suffix_match': anyMatch('suffix'),
}
