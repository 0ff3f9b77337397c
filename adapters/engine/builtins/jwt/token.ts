/** JSON Web Tokens in their compact form. @see RFC 7515, RFC 7519 */
import { type AnyObject, get, isArray, isObject, type Value } from '../../value/value.ts'
import { type Context, fail } from '../builtin.ts'
import { readJson } from '../json/index.ts'
import { decodeUrlSafe } from '../strings/encoding.ts'
import { textOf } from '../texts.ts'

export interface Token {
  readonly header: string
  readonly payload: string
  readonly signature: string
}

/** Undefined, with the failure set, for what has not three parts. */
export function split(context: Context, text: string): Token | undefined {
  const parts = text.split('.', 4)
  if (parts.length !== 3) return fail(context, 'a token has three sections')
  const [header = '', payload = '', signature = ''] = parts
  return { header, payload, signature }
}

export function decodePart(context: Context, part: string): Uint8Array | undefined {
  return decodeUrlSafe(part) ?? fail(context, 'a section is not Base64 of URLs')
}

export function decodeObject(context: Context, part: string): AnyObject | undefined {
  const bytes = decodePart(context, part)
  return bytes && objectIn(context, textOf(bytes))
}

export function objectIn(context: Context, text: string): AnyObject | undefined {
  const value = readJson(text)
  return isObject(value) ? value : fail(context, 'a section is no JSON object')
}

/** Encrypted tokens are refused. */
export function decodeHeader(context: Context, { header }: Token): AnyObject | undefined {
  const members = decodeObject(context, header)
  if (members === undefined || get(members, 'enc') === undefined) return members
  return fail(context, 'an encrypted token is not supported')
}

export interface Header {
  readonly alg: string
  readonly kid: string
  readonly cty: string
  /** An algorithm is named, and no critical member is one that nobody here knows. */
  readonly valid: boolean
}

const KNOWN = ['alg', 'crit', 'cty', 'kid', 'typ']

export function readHeader(context: Context, members: AnyObject): Header | undefined {
  const text = (name: string): string => (get(members, name) ?? '') as string
  for (const name of ['alg', 'cty', 'kid', 'typ'])
    if (typeof text(name) !== 'string') return fail(context, `the header's ${name} is no string`)
  const critical = criticalOf(get(members, 'crit'))
  if (critical === undefined) return fail(context, "the header's crit is no list of names")
  const unknown = critical.some((name) => !KNOWN.includes(name) && get(members, name) !== undefined)
  const alg = text('alg')
  return { alg, kid: text('kid'), cty: text('cty'), valid: alg !== '' && !unknown }
}

/** Names up to the first that is none; at least one. */
function criticalOf(value: Value | undefined): readonly string[] | undefined {
  if (value === undefined) return []
  if (!isArray(value)) return undefined
  const end = value.findIndex((name) => typeof name !== 'string')
  const names = (end < 0 ? value : value.slice(0, end)) as readonly string[]
  return names.length === 0 ? undefined : names
}
