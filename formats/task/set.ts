/**
 * Verifier sets: which keys may sign node tasks, in which state each of them is. A set is the payload of a DSSE envelope that a root key signs,
 * never one of the keys in it. docs/tasks.md has the format.
 */
import { fromBase64url } from '../../core/base64.ts'
import { ed25519Key, type P256Key, p256Key, sha256Hex, type VerifyKey } from '../../core/crypto.ts'
import { JsonError, LogError } from '../../core/error.ts'
import { parseJson } from '../../core/json.ts'
import { type Schema, schema } from '../../core/schema.ts'

export const VERIFIER_SET_PAYLOAD_TYPE = 'application/vnd.task-verifiers.v1+json'
/** What the keys of a set are for. */
export const VERIFIER_SET_SCOPE = 'node-task-signing'
/** In UTF-8 bytes, of a set. */
export const MAX_VERIFIER_SET_BYTES = 262_144
/** In one set, those out of use included. */
export const MAX_VERIFIER_KEYS = 512

const { array, boolean, integer, literal, object, string } = schema
const time = integer({ min: 0 })
/** The states of NIST SP 800-57 part 1, as far as keys that sign need them. */
export type VerifierState = 'active' | 'grace' | 'pre-active' | 'retired' | 'revoked'

/** RFC 8032; FIPS 186-5 ECDSA over P-256 with SHA-256, for custodies that have no other. */
export type VerifierAlgorithm = 'ecdsa-p256' | 'ed25519'

/** Times are UNIX seconds. */
export interface VerifierKey {
  readonly kid: string
  readonly alg: VerifierAlgorithm
  /** base64url: of `ed25519` the 32 bytes of RFC 8032, of `ecdsa-p256` the 65 of an uncompressed point (SEC 1 section 2.3.3). */
  readonly x: string
  readonly state: VerifierState
  /** In grace: the first second in which it does not verify any more. */
  readonly grace_until?: number
  readonly not_before?: number
  readonly reason?: string
  readonly revoked_at?: number
}
export interface VerifierSet {
  readonly schema: 'task-verifiers.v1'
  readonly scope: string
  /** 1, 2, 3 ...; only grows. */
  readonly version: number
  readonly issued_at: number
  readonly keys: readonly VerifierKey[]
  /** A key becomes active that no set published before: there is no time for it. */
  readonly emergency?: boolean
  /** The version that this one takes back, by going on. */
  readonly rollback_of?: number
}

export const verifierKeySchema: Schema<VerifierKey> = object(
  {
    kid: string({ maxLength: 16, pattern: /^[0-9a-f]{16}$/ }),
    alg: literal('ed25519', 'ecdsa-p256'),
    x: string({ maxLength: 87, pattern: /^[A-Za-z0-9_-]{43}(?:[A-Za-z0-9_-]{44})?$/ }),
    state: literal('pre-active', 'active', 'grace', 'retired', 'revoked'),
  },
  {
    grace_until: time,
    not_before: time,
    reason: string({ maxLength: 256 }),
    revoked_at: time,
  },
)
export const verifierSetSchema: Schema<VerifierSet> = object(
  {
    schema: literal('task-verifiers.v1'),
    scope: string({ maxLength: 64 }),
    version: integer({ min: 1 }),
    issued_at: time,
    keys: array(verifierKeySchema, { maxItems: MAX_VERIFIER_KEYS }),
  },
  { emergency: boolean(), rollback_of: integer({ min: 1 }) },
)

const encoder = new TextEncoder()

/** What is signed. Two sets are the same where these bytes are. */
export function verifierSetPayload(set: VerifierSet): Uint8Array<ArrayBuffer> {
  return encoder.encode(JSON.stringify(set))
}

/** Strict JSON of this form, no key in it twice; undefined for anything else. Whether it may be taken, {@link describeSet} helps to decide. */
export function readVerifierSet(payload: Uint8Array): VerifierSet | undefined {
  try {
    const value = parseJson(payload, { maxBytes: MAX_VERIFIER_SET_BYTES, maxDepth: 4 })
    if (verifierSetSchema.problem(value, '') !== undefined) return undefined
    const set = value as unknown as VerifierSet
    if (set.keys.some(({ alg, x }) => x.length !== LENGTHS[alg])) return undefined
    return new Set(set.keys.map(({ kid }) => kid)).size === set.keys.length ? set : undefined
  } catch (error) {
    if (error instanceof JsonError) return undefined
    throw error
  }
}

/** A key's name follows from the key: 16 hex digits of its SHA-256. */
export function keyIdOf(publicKey: Uint8Array): string {
  return sha256Hex(publicKey).slice(0, 16)
}

/**
 * A key of either algorithm: its length says of which. Undefined for a weak one, and for what is no base64url. Costs a few milliseconds.
 */
export function verifyKeyOf(x: string): P256Key | VerifyKey | undefined {
  const bytes = fromBase64url(x)
  if (bytes === undefined) return undefined
  try {
    return bytes.length === P256_BYTES ? p256Key(bytes) : ed25519Key(bytes)
  } catch (error) {
    if (error instanceof LogError) return undefined
    throw error
  }
}
const P256_BYTES = 65

/** Characters of a key in base64url. */
const LENGTHS: Readonly<Record<VerifierAlgorithm, number>> = { 'ecdsa-p256': 87, ed25519: 43 }
