/**
 * Enrolment tokens: all that is carried to a new node. One has the secret that fetches the bundle once, and the digest of the key that signs
 * it, so that the node needs to trust nobody on the way.
 */
import { fromBase64url, toBase64url } from '../../core/base64.ts'
import { randomBytes, sha256Hex } from '../../core/crypto.ts'
import { JsonError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import { schema } from '../../core/schema.ts'

export interface EnrolmentToken {
  /** Where to fetch: a URL. */
  readonly control_plane: string
  readonly node_id: string
  /** SHA-256 of the public key that signs bundles and trust documents, hex. */
  readonly root: string
  /** 32 bytes, base64url. Whoever has it is the node, once. */
  readonly secret: string
}

const PREFIX = 'assay-enrol-v1.'
const { object, string } = schema
const form = object({
  control_plane: string({ maxLength: 2048, pattern: /^https?:\/\/[^\s]+$/ }),
  node_id: string({ maxLength: 128, pattern: /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/ }),
  root: string({ maxLength: 64, pattern: /^[0-9a-f]{64}$/ }),
  secret: string({ maxLength: 43, pattern: /^[A-Za-z0-9_-]{43}$/ }),
})

/** With a new secret. What the platform is told of it is {@link tokenHash}. */
export function createToken(about: Omit<EnrolmentToken, 'secret'>): EnrolmentToken {
  return { ...about, secret: toBase64url(randomBytes(32)) }
}

/** One line of text. It is a secret. */
export function tokenText(token: EnrolmentToken): string {
  return PREFIX + toBase64url(new TextEncoder().encode(JSON.stringify(token)))
}

/** Undefined for what is no token. */
export function readToken(text: string): EnrolmentToken | undefined {
  const bytes = text.startsWith(PREFIX) ? fromBase64url(text.slice(PREFIX.length)) : undefined
  if (bytes === undefined) return undefined
  try {
    const value = parseJson(bytes, { maxBytes: 4096, maxDepth: 1 })
    return form.problem(value, '') === undefined ? (value as unknown as EnrolmentToken) : undefined
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}

/** What stands for the secret where it is stored. The secret has 256 random bits: no salt and no slow hash are needed. */
export const tokenHash = (secret: string): string => sha256Hex(secret)
