/**
 * Bytes under authenticated encryption: AES-256-GCM (NIST SP 800-38D) with a random nonce of 96 bits, bound to what they are for, so that no
 * sealed text passes for another one.
 */
import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import { concatBytes, fromBase64url, toBase64url } from '../../../core/crypto.ts'

const NONCE_BYTES = 12
const TAG_BYTES = 16

/** A key that cannot be printed. `bytes` are overwritten. */
export function sealingKey(bytes: Uint8Array): KeyObject {
  const key = createSecretKey(bytes)
  bytes.fill(0)
  return key
}

/** Base64url of nonce, ciphertext and tag. */
export function seal(key: KeyObject, purpose: string, bytes: Uint8Array): string {
  const nonce = randomBytes(NONCE_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, nonce)
  cipher.setAAD(Buffer.from(purpose))
  const parts = [nonce, cipher.update(bytes), cipher.final(), cipher.getAuthTag()]
  return toBase64url(concatBytes(parts))
}

/** What was sealed, which the caller overwrites; undefined when the key, the purpose or a bit of it is another. */
export function unseal(key: KeyObject, purpose: string, sealed: string): Uint8Array | undefined {
  const all = fromBase64url(sealed)
  if (all === undefined || all.length < NONCE_BYTES + TAG_BYTES) return undefined
  const decipher = createDecipheriv('aes-256-gcm', key, all.subarray(0, NONCE_BYTES))
  decipher.setAAD(Buffer.from(purpose))
  decipher.setAuthTag(all.subarray(-TAG_BYTES))
  const opened = decipher.update(all.subarray(NONCE_BYTES, -TAG_BYTES))
  try {
    decipher.final()
    return opened
  } catch {
    opened.fill(0)
    return undefined
  }
}
