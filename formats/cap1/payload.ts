/** What the blocks of a `cap1` token say: canonical JSON (RFC 8785) of a closed shape, whose exact bytes are signed. */
import { canonicalJson, isCanonicalJson } from '../../core/canonical.ts'
import { JsonError } from '../../core/error.ts'
import { type Json, parseJson } from '../../core/json.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { MAX_TOKEN_BYTES } from './frame.ts'

/**
 * A condition. What its type means, and whether its value and members are as that type wants them, is not this format's business: a type of
 * any text, a value that is missing and further members are kept for a policy to refuse. Who makes one gives it a name and a value.
 */
export interface Caveat {
  /** 1 to 64 characters, unless somebody else made it. */
  readonly t: string
  /** `v`, its value, and what else there is. */
  readonly [member: string]: Json
}

/** The authority block. Names have 1 to 256 characters, none of them a control character; keys are 32 bytes in base64url. */
export interface Authority {
  /** The cell that the token is for. */
  readonly aud: string
  readonly caveats: readonly Caveat[]
  /** The holder's public key, where the token takes a proof of possession. */
  readonly cnf?: string
  /** Unix seconds. */
  readonly exp: number
  /** The lease's generation. */
  readonly gen: number
  /** Unix seconds. */
  readonly iat: number
  /** The cell that signed it. */
  readonly iss: string
  readonly jti: string
  readonly lease: string
  /** The public key that the next block, or the seal, is signed with. */
  readonly nk: string
  readonly resource: string
  readonly tenant: string
}

/** What a holder adds. */
export interface Attenuation {
  readonly caveats: readonly Caveat[]
  readonly nk: string
}

/** Objects and arrays within each other in a payload. */
const MAX_DEPTH = 12
const MAX_TYPE_LENGTH = 64

const caveat: Schema<Caveat> = {
  json: { type: 'object', properties: { t: { type: 'string' }, v: {} }, required: ['t'] },
  problem(value, at) {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return `${at}: expected an object`
    const { t } = value as { readonly t?: unknown }
    return Object.hasOwn(value, 't') && typeof t === 'string' ? undefined : `${at}/t: expected text`
  },
}
const name = schema.string({ maxLength: 256, pattern: /^\P{Cc}+$/u })
const key = schema.string({ maxLength: 43, pattern: /^[A-Za-z0-9_-]{43}$/ })
const count = schema.integer({ min: 0 })
const caveats = schema.array(caveat)

const authority: Schema<Authority> = schema.object(
  {
    aud: name,
    caveats,
    exp: count,
    gen: count,
    iat: count,
    iss: name,
    jti: name,
    lease: name,
    nk: key,
    resource: name,
    tenant: name,
  },
  { cnf: key },
)
const attenuation: Schema<Attenuation> = schema.object({ caveats, nk: key })

/** Undefined unless the bytes are the canonical form of an authority block: nothing unknown, nothing twice, every integer a safe one. */
export const readAuthority = (payload: Uint8Array): Authority | undefined =>
  read(payload, authority)

/** Undefined unless the bytes are the canonical form of an attenuation. */
export const readAttenuation = (payload: Uint8Array): Attenuation | undefined =>
  read(payload, attenuation)

function read<T>(payload: Uint8Array, shape: Schema<T>): T | undefined {
  try {
    const value = parseJson(payload, { maxBytes: MAX_TOKEN_BYTES, maxDepth: MAX_DEPTH })
    if (shape.problem(value, '') !== undefined) return undefined
    return isCanonicalJson(decoder.decode(payload), value) ? (value as T) : undefined
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}

/** As whoever makes a token makes them. */
export function areCaveats(caveats: readonly Caveat[]): boolean {
  return caveats.every(({ t, v }) => t !== '' && t.length <= MAX_TYPE_LENGTH && v !== undefined)
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

/**
 * The bytes that an issuer signs (see {@link authorityMessage}).
 * @throws TypeError when a reader would refuse them: a name, number, key or caveat out of its bounds
 */
export function authorityPayload(fields: Authority): Uint8Array {
  const payload = encoder.encode(canonicalJson({ ...fields }))
  const problem = authority.problem(fields, '')
  if (problem !== undefined || readAuthority(payload) === undefined || !areCaveats(fields.caveats))
    throw new TypeError(
      `not an authority block: ${problem ?? 'too deep or too large, or a caveat'}`,
    )
  return payload
}
