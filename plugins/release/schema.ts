/**
 * What `release` reports: the same fields for each of its actions. A field that an action has no use for is there, and says `absent` or
 * holds nothing. Every object's members are sorted by name.
 */
import type { FactsSchema } from '../../core/plugin.ts'
import type { KeyScope } from '../../core/ports/custody.ts'
import { type Schema, schema } from '../../core/schema.ts'
import {
  type CommentFields,
  MAX_CONTENT_BYTES,
  MAX_KEY_FILE_BYTES,
  MAX_SIGNATURE_BYTES,
  type SignatureCheck,
  type Version,
} from '../../formats/minisign/index.ts'

/** Keys that one request names. */
export const MAX_KEYS = 16

const { array, boolean, integer, json, literal, object, string } = schema
const base64url = (bytes: number): Schema<string> =>
  string({ maxLength: Math.ceil((bytes * 4) / 3), pattern: /^[A-Za-z0-9_-]*$/ })
const hex = (digits: number): Schema<string> =>
  string({ maxLength: digits, pattern: new RegExp(`^[0-9a-f]{${digits}}$`) })
const KEY_ID = /^[0-9A-F]{16}$/
const keyId: Schema<string> = string({ maxLength: 16, pattern: KEY_ID })
const keyText = string({ maxLength: 64 })
const count = integer({ min: 0 })
const name = string({ maxLength: 255 })
const stated = object({}, { timestamp: count, version: string({ maxLength: 128 }) })

/** The payload of each action. Closed: an unknown member makes it malformed. */
export const payloads: Readonly<Record<string, Schema<unknown>>> = {
  'release.drop': object({ public_key: keyText }),
  'release.hand-over': object({
    public_key_file: base64url(MAX_KEY_FILE_BYTES),
    signature: base64url(MAX_SIGNATURE_BYTES),
  }),
  'release.pin': object({ public_key: keyText }),
  'release.verify': object(
    { artifact: name, blake2b512: hex(128), sha256: hex(64), size: count },
    {
      artifact_signature: base64url(MAX_SIGNATURE_BYTES),
      content: base64url(MAX_CONTENT_BYTES),
      keys: array(keyText, { maxItems: MAX_KEYS }),
      minimum: stated,
      sums: base64url(MAX_CONTENT_BYTES),
      sums_signature: base64url(MAX_SIGNATURE_BYTES),
    },
  ),
}
export const actions: readonly string[] = Object.keys(payloads)

export interface Stated {
  readonly timestamp?: number
  readonly version?: string
}
/** Of any action; which members are there, the action's schema says. */
export interface Payload {
  readonly artifact?: string
  readonly artifact_signature?: string
  readonly blake2b512?: string
  readonly content?: string
  readonly keys?: readonly string[]
  readonly minimum?: Stated
  readonly public_key?: string
  readonly public_key_file?: string
  readonly sha256?: string
  readonly signature?: string
  readonly size?: number
  readonly sums?: string
  readonly sums_signature?: string
}

export type PinState = 'active' | 'grace' | 'retired' | 'revoked'
export interface PinRecord {
  readonly key_id: string
  /** The key id of the first key in the chain of hand-overs that led to this one. */
  readonly lineage: string
  /** The key id of the one that handed over to this one. */
  readonly predecessor?: string
  /** As minisign prints it. */
  readonly public_key: string
  /** Unix seconds. */
  readonly since: number
  readonly state: PinState
  /** Unix seconds: in grace, no signature counts from then on. */
  readonly until?: number
}
/** Of one public key, for ever. */
export interface KeyRecord {
  readonly key_id: string
  /** As minisign prints it. */
  readonly public_key: string
  readonly scope: 'release'
}
/** The newest release of a family. */
export type VersionRecord = Stated

/** A version or a time that a release must not be older than. */
export interface Floor {
  readonly timestamp?: number
  readonly version?: Version
}

export interface CommentFact extends CommentFields {
  readonly text: string
}
export interface SignatureFact {
  readonly algorithm?: 'legacy' | 'prehashed'
  readonly check:
    | SignatureCheck
    | 'absent'
    | 'content_missing'
    | 'malformed_signature'
    | 'unsupported_algorithm'
  /** What the signer said; only where the check is `valid`. */
  readonly comment?: CommentFact
  readonly key_id?: string
  /** Of the key with this id. */
  readonly pin?: PinRecord
}
export interface KeyFact {
  readonly check: 'absent' | 'malformed' | 'valid' | 'weak_key'
  readonly key_id: string
  /** This very key is, or was, a pin. */
  readonly known: boolean
  /** The one with the same key id, be it this key or another. */
  readonly pin?: PinRecord
  /** As minisign prints it. */
  readonly public_key: string
  /** Where `enrolment` has it. */
  readonly scope?: KeyScope
}
export interface ReleaseFacts {
  readonly artifact: {
    /** Its name without its version. */
    readonly family: string
    /** The version in its name. */
    readonly named?: Version
    readonly plain: boolean
  }
  readonly artifact_signature: SignatureFact
  /** What the enforcement point says of the bytes that it holds, and of what it wants. */
  readonly claimed: {
    readonly artifact: string
    readonly blake2b512: string
    readonly keys: readonly string[]
    readonly minimum: Floor
    readonly sha256: string
    readonly size: number
  }
  readonly hand_over: SignatureFact
  /** The key that the request is about. */
  readonly key: KeyFact
  /** Lineages of the keys that the request names. */
  readonly lineages: readonly string[]
  readonly payload: { readonly check: 'malformed' | 'valid'; readonly problem?: string }
  /** Of the newest release that was accepted. */
  readonly recorded: Floor
  readonly sums: {
    /** Of each line about the artifact. */
    readonly digests: readonly string[]
    readonly present: boolean
  }
  readonly sums_signature: SignatureFact
}

const text = string({ maxLength: 8192 })
const version: Schema<Version> = object({
  order: json() as unknown as Schema<Version['order']>,
  text: string({ maxLength: 128 }),
})
const floor: Schema<Floor> = object({}, { timestamp: count, version })
const comment: Schema<CommentFact> = object(
  { text, unclear: array(literal('file', 'timestamp', 'version')) },
  { file: text, timestamp: count, version },
)
const pin: Schema<PinRecord> = object(
  {
    key_id: keyId,
    lineage: keyId,
    public_key: keyText,
    since: count,
    state: literal('active', 'grace', 'retired', 'revoked'),
  },
  { predecessor: keyId, until: count },
)
const signature: Schema<SignatureFact> = object(
  {
    check: literal(
      'absent',
      'content_missing',
      'key_id_mismatch',
      'malformed_signature',
      'signature_invalid',
      'trusted_comment_invalid',
      'unsupported_algorithm',
      'valid',
    ),
  },
  { algorithm: literal('legacy', 'prehashed'), comment, key_id: keyId, pin },
)
const key: Schema<KeyFact> = object(
  {
    check: literal('absent', 'malformed', 'valid', 'weak_key'),
    key_id: string({ maxLength: 16 }),
    known: boolean(),
    public_key: keyText,
  },
  { pin, scope: string({ maxLength: 32 }) as Schema<KeyScope> },
)

/** Shared with the effects, which write what these describe. */
export const members: {
  readonly count: Schema<number>
  readonly keyId: Schema<string>
  readonly keyText: Schema<string>
  readonly name: Schema<string>
} = { count, keyId, keyText, name }

const VERIFY = ['release.verify']
const ABOUT_A_KEY = ['release.drop', 'release.hand-over', 'release.pin']

export const releaseSchema: FactsSchema<ReleaseFacts> = {
  artifact: {
    trust: 'verified',
    schema: object({ family: name, plain: boolean() }, { named: version }),
  },
  artifact_signature: {
    trust: 'verified',
    evidence: { requiredFor: VERIFY },
    schema: signature,
  },
  claimed: {
    trust: 'claimed',
    schema: object({
      artifact: name,
      blake2b512: string({ maxLength: 128 }),
      keys: array(keyText, { maxItems: MAX_KEYS }),
      minimum: floor,
      sha256: string({ maxLength: 64 }),
      size: count,
    }),
  },
  hand_over: {
    trust: 'verified',
    evidence: { requiredFor: ['release.hand-over'] },
    schema: signature,
  },
  key: { trust: 'verified', evidence: { requiredFor: ABOUT_A_KEY }, schema: key },
  lineages: { trust: 'verified', schema: array(keyId, { maxItems: MAX_KEYS }) },
  payload: {
    trust: 'verified',
    evidence: { requiredFor: actions },
    schema: object(
      { check: literal('malformed', 'valid') },
      { problem: string({ maxLength: 2048 }) },
    ),
  },
  recorded: { trust: 'verified', schema: floor },
  sums: {
    trust: 'verified',
    schema: object({ digests: array(string({ maxLength: 256 })), present: boolean() }),
  },
  sums_signature: {
    trust: 'verified',
    evidence: { requiredFor: VERIFY },
    schema: signature,
  },
}
