/** What a key may be used for. A key belongs to one scope for life, and the scope is part of every reference to it. */
export const KEY_SCOPES = [
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
] as const
export type KeyScope = (typeof KEY_SCOPES)[number]

/** NIST SP 800-57 part 1 key states, as far as signing keys need them. `grace` verifies and does not sign. */
export const KEY_STATES = ['pre-active', 'active', 'grace', 'retired', 'revoked'] as const
export type KeyState = (typeof KEY_STATES)[number]

/**
 * Where a state may lead. What leads back to `active` is a rollback: whoever tells verifiers of it does so in a later set, never with an
 * older one. Nothing leads out of `revoked`.
 */
export const KEY_TRANSITIONS: Readonly<Record<KeyState, readonly KeyState[]>> = {
  'pre-active': ['active', 'retired', 'revoked'],
  active: ['grace', 'revoked'],
  grace: ['active', 'retired', 'revoked'],
  retired: ['active', 'revoked'],
  revoked: [],
}

/** `ed25519`: RFC 8032. `ecdsa-p256`: FIPS 186-5 ECDSA over P-256 with SHA-256. */
export const KEY_ALGORITHMS = ['ed25519', 'ecdsa-p256'] as const
export type KeyAlgorithm = (typeof KEY_ALGORITHMS)[number]

export interface KeyRef {
  readonly scope: KeyScope
  /** `[a-z0-9][a-z0-9-]{0,62}` */
  readonly name: string
  /** 1, 2, 3 ...; only grows. */
  readonly version: number
}

export interface PublicKey extends KeyRef {
  readonly algorithm: KeyAlgorithm
  /**
   * `ed25519`: 32 bytes, RFC 8032 encoding; never small-order or non-canonical. `ecdsa-p256`: 65 bytes, an uncompressed point of the curve
   * (SEC 1 section 2.3.3).
   */
  readonly publicKey: Uint8Array
  readonly state: KeyState
}

/** Policy decides what a key may sign, so a request says what it is for. */
export interface SigningRequest {
  readonly key: KeyRef
  /** What the message is, for example `log.checkpoint`. */
  readonly purpose: string
  /** The whole message, not a digest; 1 to {@link Custody.maxMessageBytes} bytes. */
  readonly message: Uint8Array
}

/**
 * Keeps private keys and signs. No method or property gives out private bytes.
 *
 * Every method throws CustodyError: `closed` after {@link close}; `unavailable` when the backend does not answer in time or throttles (safe to
 * retry); `denied` when it refuses the credentials, or they lack a permission; `misconfigured` when it is not the backend, or the key not of the
 * kind, that the configuration says. {@link create} and {@link transition} throw `unknown_outcome` when the backend may have done it: list first.
 */
export interface Custody {
  readonly name: string
  readonly scopes: readonly KeyScope[]
  /** What keys it makes; the first one by default. */
  readonly algorithms: readonly KeyAlgorithm[]
  readonly maxMessageBytes: number
  /** Every version of every key of a scope, by name and version. @throws `scope_mismatch` when it does not serve the scope. */
  list(scope: KeyScope): Promise<readonly PublicKey[]>
  /**
   * A new key, or the next version of it, in state `pre-active`. A key has one algorithm for life: that of its first version, also when none
   * is asked for.
   * @throws `algorithm_mismatch` for another one, or one that is not among {@link algorithms}
   */
  create(scope: KeyScope, name: string, algorithm?: KeyAlgorithm): Promise<PublicKey>
  /**
   * Moves a version along {@link KEY_TRANSITIONS}. Survives the process; other processes on the same backend see it within seconds.
   * @throws `invalid_transition`, `unknown_key`
   */
  transition(key: KeyRef, state: KeyState): Promise<PublicKey>
  /**
   * Signs the whole message with one pinned version: 64 bytes. `ed25519`: RFC 8032. `ecdsa-p256`: r and s, 32 bytes each (IEEE P1363).
   * At-least-once: an aborted call may have signed.
   * @throws `retired` (also for grace and revoked): sign with the active version. `not_active`: it is pre-active. `unknown_key`, `too_large`
   */
  sign(request: SigningRequest): Promise<Uint8Array>
  close(): Promise<void>
}
