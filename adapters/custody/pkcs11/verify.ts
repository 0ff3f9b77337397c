/** Every signature is checked before it leaves: a token that signs with another key, or breaks, is noticed here and not at a verifier. */
import { createPublicKey, verify } from 'node:crypto'
import { toBase64url } from '../../../core/crypto.ts'
import type { Signed } from './protocol.ts'

export function verifies(
  { algorithm, publicKey, signature }: Signed,
  message: Uint8Array,
): boolean {
  if (signature.length !== 64) return false
  try {
    if (algorithm === 'ed25519') {
      const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(publicKey) }
      return verify(null, message, createPublicKey({ key: jwk, format: 'jwk' }), signature)
    }
    const x = toBase64url(publicKey.subarray(1, 33))
    const y = toBase64url(publicKey.subarray(33))
    const key = createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
    return verify('sha256', message, { key, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    return false
  }
}
