/** Canonical JSON: one text for each value. @see RFC 8785 (JCS) */
import { JsonError } from './error.ts'
import type { Json } from './json.ts'

const MAX_DEPTH = 256

/**
 * The RFC 8785 text of `value`: members sorted by UTF-16 code units, no white space, numbers as ECMAScript writes them.
 *
 * @throws JsonError `number_range` (NaN, an infinity), `lone_surrogate`, `too_deep` (256), `malformed` (not a JSON value)
 */
export function canonicalJson(value: Json): string {
  return write(value, 0)
}

/**
 * Whether `text`, which strict parsing gave `value`, is its RFC 8785 text. Quicker than writing it where it is.
 * @throws JsonError as {@link canonicalJson}, where it is not
 */
export function isCanonicalJson(text: string, value: Json): boolean {
  // ECMAScript puts names like "10" first, whatever their order was: those are written after all.
  return (isSorted(value) && JSON.stringify(value) === text) || canonicalJson(value) === text
}

/** Whether the members of every object in `value` stand in the order of their names. */
export function isSorted(value: Json): boolean {
  if (typeof value !== 'object' || value === null) return true
  if (Array.isArray(value)) return value.every(isSorted)
  const members = value as { readonly [name: string]: Json }
  let previous: string | undefined
  for (const name of Object.keys(members)) {
    if (previous !== undefined && name < previous) return false
    if (!isSorted(members[name]!)) return false
    previous = name
  }
  return true
}

function write(value: Json, depth: number): string {
  switch (typeof value) {
    case 'boolean':
      return value ? 'true' : 'false'
    case 'string':
      return writeString(value)
    case 'number':
      if (!Number.isFinite(value))
        throw new JsonError('canonical', 'number_range', 'JSON has no NaN and no infinity')
      return JSON.stringify(value)
    case 'object':
      return value === null ? 'null' : writeContainer(value, depth)
    default:
      throw new JsonError('canonical', 'malformed', `JSON has no ${typeof value}`)
  }
}

function writeString(value: string): string {
  if (!value.isWellFormed())
    throw new JsonError('canonical', 'lone_surrogate', 'half a surrogate pair has no UTF-8 form')
  return JSON.stringify(value)
}

function writeContainer(value: object, depth: number): string {
  if (depth >= MAX_DEPTH)
    throw new JsonError('canonical', 'too_deep', `at most ${MAX_DEPTH} levels are written`)
  if (Array.isArray(value)) {
    // Not map(): it would skip holes, which are not JSON.
    const items: string[] = []
    for (const item of value) items.push(write(item, depth + 1))
    return `[${items.join(',')}]`
  }
  const members = value as { readonly [name: string]: Json }
  const parts = Object.keys(members)
    .sort()
    .map((name) => `${writeString(name)}:${write(members[name]!, depth + 1)}`)
  return `{${parts.join(',')}}`
}
