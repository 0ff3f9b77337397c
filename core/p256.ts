/**
 * ECDSA over P-256 with SHA-256 (FIPS 186-5): verification, and signatures and keys as DER has them. On Node the platform verifies,
 * elsewhere @noble: the answers are the same on both. A signature has two values of s, and both are taken, as the standard does: nothing may
 * depend on a signature being the only one.
 */
import { p256 } from '@noble/curves/nist.js'
import { toBase64url } from './base64.ts'
import { LogError } from './error.ts'
import { nodeCrypto as node } from './platform.ts'

/** An imported P-256 key: import once, verify often. */
export interface P256Key {
  readonly algorithm: 'ecdsa-p256'
  /** 65 bytes, an uncompressed point (SEC 1 section 2.3.3); the key's own copy. */
  readonly publicKey: Uint8Array
  /** The platform's key object. */
  readonly handle: object | undefined
}

const POINT_BYTES = 65
const SIGNATURE_BYTES = 64

/** @throws LogError `weak_key`: not the 65 bytes of an uncompressed point of the curve */
export function p256Key(publicKey: Uint8Array): P256Key {
  const copy = Uint8Array.from(publicKey)
  if (!isPoint(copy))
    throw new LogError('crypto', 'weak_key', 'this is no point of P-256; make a new key pair')
  const [x, y] = [copy.subarray(1, 33), copy.subarray(33)].map(toBase64url)
  const jwk = { kty: 'EC', crv: 'P-256', x, y }
  const handle = node?.createPublicKey({ key: jwk, format: 'jwk' })
  return { algorithm: 'ecdsa-p256', publicKey: copy, handle }
}

/** The group has prime order, so that a point of the curve other than infinity, which has no such encoding, is a sound key. */
function isPoint(encoded: Uint8Array): boolean {
  if (encoded.length !== POINT_BYTES || encoded[0] !== 0x04) return false
  try {
    p256.Point.fromBytes(encoded).assertValidity()
    return true
  } catch {
    return false
  }
}

/** Whether `signature` (r and s, 32 bytes each) is `key`'s over `message`. Never throws on a bad signature. */
export function verifyP256(key: P256Key, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES) return false
  if (node !== undefined) {
    const ecdsa = { key: key.handle as object, dsaEncoding: 'ieee-p1363' } as const
    return node.verify('sha256', message, ecdsa, signature)
  }
  const options = { format: 'compact', lowS: false, prehash: true } as const
  return p256.verify(signature, message, key.publicKey, options)
}

/** What stands before the point in every SubjectPublicKeyInfo of a P-256 key. @see RFC 5480 */
const SPKI_PREFIX = Uint8Array.of(
  ...[0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08],
  ...[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00],
)

/** The DER of a key's SubjectPublicKeyInfo, 91 bytes. @param publicKey 65 bytes */
export function p256Spki(publicKey: Uint8Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(...SPKI_PREFIX, ...publicKey)
}

/** The 65 bytes of a key, whether or not they are a point. Undefined for any other SubjectPublicKeyInfo than {@link p256Spki} gives. */
export function p256FromSpki(spki: Uint8Array): Uint8Array | undefined {
  const named = SPKI_PREFIX.every((byte, i) => spki[i] === byte)
  return named && spki.length === SPKI_PREFIX.length + POINT_BYTES
    ? spki.slice(SPKI_PREFIX.length)
    : undefined
}

/** ECDSA-Sig-Value (RFC 3279 section 2.2.3) of r and s, 32 bytes each. */
export function derFromSignature(signature: Uint8Array): Uint8Array<ArrayBuffer> {
  const parts = [signature.subarray(0, 32), signature.subarray(32)].flatMap((half) => {
    const first = half.findIndex((byte) => byte !== 0)
    const digits = half.subarray(first < 0 ? half.length - 1 : first)
    const value = (digits[0] ?? 0) < 0x80 ? [...digits] : [0, ...digits]
    return [0x02, value.length, ...value]
  })
  return Uint8Array.of(0x30, parts.length, ...parts)
}

/** r and s, 32 bytes each. Undefined unless `der` is, byte for byte, what {@link derFromSignature} gives for them. */
export function signatureFromDer(der: Uint8Array): Uint8Array | undefined {
  const signature = new Uint8Array(SIGNATURE_BYTES)
  let at = 2
  for (const end of [32, 64]) {
    const length = der[at + 1] ?? 0
    const value = der.subarray(at + 2, at + 2 + length)
    const digits = value[0] === 0 ? value.subarray(1) : value
    if (digits.length > 32) return undefined
    signature.set(digits, end - digits.length)
    at += 2 + length
  }
  const strict = derFromSignature(signature)
  const same = strict.length === der.length && strict.every((byte, i) => byte === der[i])
  return same ? signature : undefined
}
