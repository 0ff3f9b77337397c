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

export interface KeyRef {
  readonly scope: KeyScope
  /** `[a-z0-9][a-z0-9-]{0,62}` */
  readonly name: string
  /** 1, 2, 3 ...; only grows. */
  readonly version: number
}

export interface PublicKey extends KeyRef {
  readonly algorithm: 'ed25519'
  /** 32 bytes, RFC 8032 encoding; never small-order or non-canonical. */
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
 * Every method throws CustodyError: `closed` after {@link close}, `unavailable` when the backend does not answer (safe to retry).
 */
export interface Custody {
  readonly name: string
  readonly scopes: readonly KeyScope[]
  readonly maxMessageBytes: number
  /** Every version of every key of a scope, by name and version. @throws `scope_mismatch` when it does not serve the scope. */
  list(scope: KeyScope): Promise<readonly PublicKey[]>
  /** A new key, or the next version of it, in state `pre-active`. */
  create(scope: KeyScope, name: string): Promise<PublicKey>
  /**
   * Moves a version along pre-active → active → grace → retired; any state but `revoked` → revoked. Nothing leads back.
   * @throws `invalid_transition`, `unknown_key`
   */
  transition(key: KeyRef, state: KeyState): Promise<PublicKey>
  /**
   * Signs the whole message with one pinned version: 64 bytes, RFC 8032 Ed25519. At-least-once: an aborted call may have signed.
   * @throws `retired` (also for grace and revoked): sign with the active version. `not_active`: it is pre-active. `unknown_key`, `too_large`
   */
  sign(request: SigningRequest): Promise<Uint8Array>
  close(): Promise<void>
}
