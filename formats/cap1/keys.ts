/** The keys that tokens name. A token is presented many times while it lives, and importing a key costs a fifth of a verification. */
import {
  ed25519ChainKey,
  ed25519PublicKey,
  sha256Hex,
  toBase64url,
  type VerifyKey,
} from '../../core/crypto.ts'
import { Memo } from '../../core/memo.ts'

export interface ChainKeys {
  /** @param publicKey 32 bytes that a signature vouches for, and that are not weak */
  verifyKey(publicKey: Uint8Array): VerifyKey
  /** Of a private key, 32 bytes. */
  publicKey(seed: Uint8Array): Uint8Array
}

/** Keeps nothing. */
export const FRESH_KEYS: ChainKeys = { verifyKey: ed25519ChainKey, publicKey: ed25519PublicKey }

const KEPT = 2048
const verifyKeys = new Memo<VerifyKey>(KEPT)
const publicKeys = new Memo<Uint8Array>(KEPT)

/** The same bytes are the same key for ever. Of private keys only the hash is kept, with their public half. */
export const KEPT_KEYS: ChainKeys = {
  verifyKey: (key) => verifyKeys.get(toBase64url(key), () => ed25519ChainKey(key)),
  publicKey: (seed) => publicKeys.get(sha256Hex(seed), () => ed25519PublicKey(seed)),
}
