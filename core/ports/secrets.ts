/** Custody for values that are no signing keys: a registry's robot password and the like. */
import type { KeyState } from './custody.ts'

export interface SecretRef {
  /** `[a-z0-9][a-z0-9-]{0,62}` */
  readonly name: string
  /** 1, 2, 3 ...; only grows. */
  readonly version: number
}

export interface SecretVersion extends SecretRef {
  /** SHA-256 of 32 random bytes, which never leave custody, and the value; hex. It says that it is the same version, and nothing else. */
  readonly digest: string
  readonly state: KeyState
}

export interface SealRequest extends SecretRef {
  /** An X25519 public key (RFC 7748), 32 bytes. */
  readonly recipient: Uint8Array
  /** The decision that lets it go; {@link sealInfo} binds it. */
  readonly decision: string
}

export const MAX_SECRET_BYTES = 2048

/**
 * Keeps values and gives none out but sealed to a recipient. States and their steps are those of keys (`KEY_STATES`, `KEY_TRANSITIONS`).
 *
 * Every method throws CustodyError with the codes of the port Custody: `closed`, `unavailable`, `denied`, `misconfigured`, `invalid_name`;
 * {@link create}, {@link put} and {@link transition} throw `unknown_outcome` when the backend may have done it: list first.
 */
export interface Secrets {
  readonly name: string
  /** Every version of every secret, by name and version. */
  list(): Promise<readonly SecretVersion[]>
  /** A new secret, or its next version, in state `pre-active`: 32 random bytes as base64url text. */
  create(name: string): Promise<SecretVersion>
  /**
   * The same with a value that somebody else made. It is copied; the caller overwrites its own.
   * @throws `too_large`: it has not 1 to {@link MAX_SECRET_BYTES} bytes
   */
  put(name: string, value: Uint8Array): Promise<SecretVersion>
  /** @throws `invalid_transition`, `unknown_key` */
  transition(secret: SecretRef, state: KeyState): Promise<SecretVersion>
  /**
   * The value for one recipient: HPKE base mode (RFC 9180) with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, {@link sealInfo} as
   * `info` and no `aad`. 32 bytes of encapsulated key, and the ciphertext.
   * @throws `not_active`: it is pre-active; `retired` (also for revoked); `unknown_key`; `weak_key`: nobody's or everybody's public key
   */
  seal(request: SealRequest): Promise<Uint8Array>
  close(): Promise<void>
}

/** What a sealed value is bound to: it opens as this version, let go by this decision, and as nothing else. */
export function sealInfo({
  decision,
  name,
  version,
}: Pick<SealRequest, 'decision' | 'name' | 'version'>): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`assay-secret-1\n${name}\n${version}\n${decision}`)
}
