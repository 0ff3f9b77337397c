/** The records of `signer` and its payloads. Every object's members are sorted by name. */
import type { KeyAlgorithm, KeyScope } from '../../core/ports/custody.ts'
import { type Schema, schema } from '../../core/schema.ts'
import { MANAGED_STATES, type ManagedState } from '../../formats/signingkey/index.ts'

/** As custody has them; a plugin takes no values from a port. */
export const SCOPES: readonly KeyScope[] = [
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
]
export const ALGORITHMS: readonly KeyAlgorithm[] = ['ed25519', 'ecdsa-p256']

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
export const SCOPE: Schema<KeyScope> = literal(...SCOPES)
export const STATE: Schema<ManagedState> = literal(...MANAGED_STATES)
const algorithm: Schema<KeyAlgorithm> = literal(...ALGORITHMS)
const VERIFIER = string({ maxLength: 128, pattern: /^[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}$/ })
/** base64url: 32 bytes of an Ed25519 key, or the 65 of an uncompressed point. */
export const PUBLIC_KEY: Schema<string> = string({
  maxLength: 87,
  pattern: /^(?:[A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{87})$/,
})
const KID = string({ maxLength: 64, pattern: /^[0-9a-f]+$/ })
const peer = object({ id: string({ maxLength: 256 }), kind: string({ maxLength: 32 }) })

/** One version of a key. Times are Unix seconds; 0: none. */
export interface Version {
  readonly activated_at: number
  readonly created_at: number
  readonly grace_until: number
  readonly kid: string
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
  public_key: PUBLIC_KEY,
  published: setVersion,
  reason: said,
  revoked_at: seconds,
  state: STATE,
  version,
})

/** What Rego keeps of a key: the names and flags that its rules give a meaning. */
export interface KeyRecord {
  readonly algorithm: KeyAlgorithm
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
  readonly scope: KeyScope
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

/** The body of each action. Closed: an unknown member makes it malformed. */
export const bodies: Readonly<Record<string, Schema<unknown>>> = {
  'signer.acknowledge': object({ ...one, verifier: VERIFIER }),
  'signer.activate': object(one, { override: REASON }),
  'signer.create': object(key, { algorithm }),
  'signer.created': object(key, { failed, public_key: PUBLIC_KEY, version }),
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
  readonly algorithm?: KeyAlgorithm
  readonly auto?: boolean
  readonly failed?: string
  readonly grace_for?: number
  readonly have?: number
  readonly name?: string
  readonly override?: string
  readonly peer?: { readonly id: string; readonly kind: string }
  readonly public_key?: string
  readonly reason?: string
  readonly rotate_after?: number
  readonly scope?: KeyScope
  readonly state?: ManagedState
  readonly verifier?: string
  readonly version?: number
}
