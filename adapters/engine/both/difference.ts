/** Where two answers differ first, told without a word of what they say. */
import type { Json } from '../../../core/json.ts'

/** Names that stand in every verdict. Any other name could be data. */
const KNOWN: ReadonlySet<string> = new Set(
  'allow code effects id kind message obligations output properties reasons rule type'.split(' '),
)

/**
 * The place of the first difference, as a JSON pointer (RFC 6901) in which a name that is no verdict's own is `*`. Undefined where the two
 * are the same; the order of members is no difference, that of elements is.
 */
export function difference(a: Json | undefined, b: Json | undefined): string | undefined {
  if (a === b) return undefined
  if (Array.isArray(a) && Array.isArray(b)) return inArrays(a, b)
  if (isMembers(a) && isMembers(b)) return inMembers(a, b)
  return ''
}

type Members = { readonly [name: string]: Json }

function isMembers(value: Json | undefined): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function inArrays(a: readonly Json[], b: readonly Json[]): string | undefined {
  const length = Math.max(a.length, b.length)
  for (let i = 0; i < length; i++) {
    const below = i < a.length && i < b.length ? difference(a[i], b[i]) : ''
    if (below !== undefined) return `/${i}${below}`
  }
  return undefined
}

function inMembers(a: Members, b: Members): string | undefined {
  for (const name of Object.keys(a)) {
    const below = Object.hasOwn(b, name) ? difference(a[name], b[name]) : ''
    if (below !== undefined) return `/${told(name)}${below}`
  }
  const more = Object.keys(b).find((name) => !Object.hasOwn(a, name))
  return more === undefined ? undefined : `/${told(more)}`
}

function told(name: string): string {
  return KNOWN.has(name) ? name : '*'
}
