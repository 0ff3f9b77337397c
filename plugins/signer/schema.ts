/** The records of `signer` and its payloads. Every object's members are sorted by name. */
import type { KeyAlgorithm, KeyScope } from '../../core/ports/custody.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { MANAGED_STATES, type ManagedState } from '../../formats/signingkey/index.ts'

/** A secret goes through the same life as a key and never signs. */
export const SECRET = 'secret'
export type ManagedScope = KeyScope | typeof SECRET
/** As custody has them, and secrets; a plugin takes no values from a port. */
export const SCOPES: readonly ManagedScope[] = [
  'release',
  'controller',
  'cell',
  'tenant',
  'task',
  'policy',
  'log',
  'witness',
  'federation',
  'bootstrap',
  SECRET,
]
/** `opaque`: of a secret, whose value only its consumers understand. */
export type ManagedAlgorithm = KeyAlgorithm | 'opaque'
export const ALGORITHMS: readonly ManagedAlgorithm[] = ['ed25519', 'ecdsa-p256', 'opaque']

/** Versions that a key's record holds; Rego refuses a further one. */
export const MAX_VERSIONS = 256

const { array, boolean, integer, literal, object, string } = schema
const seconds = integer({ min: 0 })
const version = integer({ min: 1, max: 999_999_999 })
const orNone = integer({ min: 0, max: 999_999_999 })
const setVersion = integer({ min: 0 })
export const REASON: Schema<string> = string({ maxLength: 256, pattern: /\S/ })
const said = string({ maxLength: 256 })
/** As custody names keys. */
export const NAME: Schema<string> = string({ maxLength: 63, pattern: /^[a-z0-9][a-z0-9-]{0,62}$/ })
export const SCOPE: Schema<ManagedScope> = literal(...SCOPES)
export const STATE: Schema<ManagedState> = literal(...MANAGED_STATES)
const algorithm: Schema<ManagedAlgorithm> = literal(...ALGORITHMS)
const VERIFIER = string({ maxLength: 128, pattern: /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/ })
/** base64url: 32 bytes of an Ed25519 key, or the 65 of an uncompressed point. */
export const PUBLIC_KEY: Schema<string> = string({
  maxLength: 87,
  pattern: /^(?:[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{87})$/,
})
const KID = string({ maxLength: 64, pattern: /^[0-9a-f]+$/ })
/** SHA-256 of 32 random bytes that custody keeps, and the value; hex. */
const DIGEST = string({ maxLength: 64, pattern: /^[0-9a-f]{64}$/ })
const peer = object({ id: string({ maxLength: 256 }), kind: string({ maxLength: 32 }) })

/** One version of a key. Times are Unix seconds; 0: none. */
export interface Version {
  readonly activated_at: number
  readonly created_at: number
  readonly grace_until: number
  /** Of a secret its salted digest. */
  readonly kid: string
  /** Empty: a secret. */
  readonly public_key: string
  /** The first version of the verifier set that has it; 0: none yet. */
  readonly published: number
  /** Why it was revoked. */
  readonly reason: string
  readonly revoked_at: number
  readonly state: ManagedState
  readonly version: number
}
const versionSchema: Schema<Version> = object({
  activated_at: seconds,
  created_at: seconds,
  grace_until: seconds,
  kid: KID,
  public_key: string({ maxLength: 87, pattern: /^(?:[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{87}|)$/ }),
  published: setVersion,
  reason: said,
  revoked_at: seconds,
  state: STATE,
  version,
})

/** What Rego keeps of a key: the names and flags that its rules give a meaning. */
export interface KeyRecord {
  readonly algorithm: ManagedAlgorithm
  /** The next version is activated without a person, once every verifier has acknowledged it. */
  readonly auto: boolean
  /** Custody was asked for a version after this one. */
  readonly creating: {
    readonly after: number
    readonly emergency: boolean
    readonly publish: boolean
    readonly wanted: boolean
  }
  /** Seconds that a version verifies after its successor was activated. */
  readonly grace_for: number
  readonly name: string
  /** Custody was asked to activate this version; 0: none. */
  readonly pending: {
    readonly emergency: boolean
    readonly rollback_of: number
    readonly version: number
  }
  /** Seconds from an activation to the next rotation; 0: by hand only. */
  readonly rotate_after: number
  readonly scope: ManagedScope
  /** What the verifier set calls its scope, and the key of scope `bootstrap` that signs it; both empty for a key without a set. */
  readonly set: { readonly name: string; readonly root: string }
  /** Of the newest verifier set; 0: none yet. */
  readonly set_version: number
  /** The oldest first. */
  readonly versions: readonly Version[]
}
export const keySchema: Schema<KeyRecord> = object({
  algorithm,
  auto: boolean(),
  creating: object({
    after: orNone,
    emergency: boolean(),
    publish: boolean(),
    wanted: boolean(),
  }),
  grace_for: seconds,
  name: NAME,
  pending: object({ emergency: boolean(), rollback_of: setVersion, version: orNone }),
  rotate_after: seconds,
  scope: SCOPE,
  set: object({ name: string({ maxLength: 64 }), root: string({ maxLength: 63 }) }),
  set_version: setVersion,
  versions: array(versionSchema, { maxItems: MAX_VERSIONS }),
})

/** Who verifies what a key signs. */
export interface Verifier {
  /** The highest version of the set that it says it has. */
  readonly acknowledged: number
  readonly id: string
  /** Who speaks for it. */
  readonly peer: { readonly id: string; readonly kind: string }
}
export const verifierSchema: Schema<Verifier> = object({
  acknowledged: setVersion,
  id: VERIFIER,
  peer,
})

/** The newest set as it was signed. */
export interface SetRecord {
  readonly keyid: string
  /** The document, JSON text as it was signed. */
  readonly payload: string
  readonly signatures: { readonly set: string }
  readonly version: number
}

/** A secret's value on its way to one recipient. */
export interface Delivery {
  /** The decision that let it go; the record is named after it. */
  readonly decision: string
  /** Unix seconds. */
  readonly expires_at: number
  /** Why custody did not seal it; empty where it did, or has not yet. */
  readonly failed: string
  readonly name: string
  /** Who asked for it, and alone gets it. */
  readonly peer: { readonly id: string; readonly kind: string }
  /** X25519, base64url. */
  readonly recipient: string
  /** HPKE's encapsulated key and ciphertext, base64url; empty: not yet. */
  readonly sealed: string
  readonly version: number
}
export const DECISION: Schema<string> = string({ maxLength: 64, pattern: /^[0-9A-Za-z-]{1,64}$/ })
export const RECIPIENT: Schema<string> = string({ maxLength: 43, pattern: /^[A-Za-z0-9_-]{43}$/ })
/** 2,048 bytes of value, 32 of a key and 16 of a tag. */
export const MAX_SEALED = 2796
const SEALED = string({ maxLength: MAX_SEALED, pattern: /^[A-Za-z0-9_-]+$/ })
export const deliverySchema: Schema<Delivery> = object({
  decision: DECISION,
  expires_at: seconds,
  failed: string({ maxLength: 64 }),
  name: NAME,
  peer,
  recipient: RECIPIENT,
  sealed: string({ maxLength: MAX_SEALED }),
  version,
})

export interface Approval {
  readonly at: number
  readonly id: string
  readonly kind: string
}
export const approvalsSchema: Schema<readonly Approval[]> = array(
  object({ at: seconds, id: string({ maxLength: 256 }), kind: string({ maxLength: 32 }) }),
  { maxItems: 16 },
)

const key = { name: NAME, scope: SCOPE }
const one = { ...key, version }
const failed = string({ maxLength: 64, pattern: /^[a-z_]+$/ })
const secret = { name: NAME, scope: literal(SECRET) }

/** The body of each action. Closed: an unknown member makes it malformed. */
export const bodies: Readonly<Record<string, Schema<unknown>>> = {
  'signer.acknowledge': object({ ...one, verifier: VERIFIER }),
  'signer.activate': object(one, { override: REASON }),
  'signer.create': object(key, { algorithm }),
  'signer.created': object(key, { digest: DIGEST, failed, public_key: PUBLIC_KEY, version }),
  'signer.deliver': object({ ...secret, recipient: RECIPIENT }, { version }),
  'signer.delivered': object(
    { ...secret, delivery: DECISION, version },
    { failed, sealed: SEALED },
  ),
  'signer.expire': object({}),
  'signer.fetch': object({ ...secret, delivery: DECISION }),
  'signer.list': object({}),
  'signer.moved': object({ ...one, state: STATE }, { failed }),
  'signer.publish': object(key),
  'signer.register': object({ ...key, verifier: VERIFIER }, { peer }),
  'signer.retire': object(one, { override: REASON }),
  'signer.revoke': object({ ...one, reason: REASON }),
  'signer.rollback': object({ ...one, reason: REASON }),
  'signer.rotate': object(key),
  'signer.schedule': object({
    ...key,
    auto: boolean(),
    grace_for: seconds,
    rotate_after: seconds,
  }),
  'signer.set': object(key, { have: setVersion }),
  'signer.status': object(key),
  'signer.unregister': object({ ...key, verifier: VERIFIER }),
}
export const actions: readonly string[] = Object.keys(bodies)

export interface Body {
  readonly algorithm?: ManagedAlgorithm
  readonly auto?: boolean
  readonly delivery?: string
  readonly digest?: string
  readonly failed?: string
  readonly grace_for?: number
  readonly have?: number
  readonly name?: string
  readonly override?: string
  readonly peer?: { readonly id: string; readonly kind: string }
  readonly public_key?: string
  readonly reason?: string
  readonly recipient?: string
  readonly rotate_after?: number
  readonly scope?: ManagedScope
  readonly sealed?: string
  readonly state?: ManagedState
  readonly verifier?: string
  readonly version?: number
}
