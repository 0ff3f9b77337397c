/**
 * SHA-256 (FIPS 180-4), strict Ed25519 verification (RFC 8032), ECDSA over P-256, and strict base64, base64url (RFC 4648) and hex. On Node
 * the platform's own code runs, elsewhere @noble: the answers are the same on both, and both are synchronous.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { fromBase64url, toBase64url } from './base64.ts'
import { LogError } from './error.ts'
import { nodeBuffer as buffer, nodeCrypto } from './platform.ts'

export { fromBase64, fromBase64url, toBase64, toBase64url } from './base64.ts'
export * from './p256.ts'

const node = nodeCrypto
const encoder = new TextEncoder()

/** 32 bytes. */
export const sha256: (data: Uint8Array) => Uint8Array =
  node === undefined ? nobleSha256 : (data) => fromLatin1(node.hash('sha256', data, 'latin1'))

/** 32 bytes: of the text's UTF-8 bytes. */
export const sha256Text: (text: string) => Uint8Array =
  node === undefined
    ? (text) => nobleSha256(encoder.encode(text))
    : (text) => fromLatin1(node.hash('sha256', text, 'latin1'))

/** 43 characters without padding: of the text's UTF-8 bytes. */
export const sha256TextBase64url: (text: string) => string =
  node === undefined
    ? (text) => toBase64url(sha256Text(text))
    : (text) => node.hash('sha256', text, 'base64url')

/** 64 lower-case hex digits; a string counts as its UTF-8 bytes. */
export const sha256Hex: (data: Uint8Array | string) => string =
  node === undefined
    ? (data) => toHex(typeof data === 'string' ? sha256Text(data) : nobleSha256(data))
    : (data) => node.hash('sha256', data, 'hex')

/** Node makes a Latin-1 string of a digest faster than a buffer. */
function fromLatin1(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** `n` bytes from the platform's cryptographic generator. */
export function randomBytes(n: number): Uint8Array {
  const bytes = new Uint8Array(n)
  for (let at = 0; at < n; at += 65_536)
    globalThis.crypto.getRandomValues(bytes.subarray(at, at + 65_536))
  return bytes
}

/** An imported Ed25519 key: import once, verify often. */
export interface VerifyKey {
  readonly algorithm: 'ed25519'
  /** 32 bytes; the key's own copy. */
  readonly publicKey: Uint8Array
  /** The platform's key object. */
  readonly handle: object | undefined
}

/**
 * Imports a raw Ed25519 key. Costs a few milliseconds.
 *
 * @throws LogError `weak_key`: not 32 bytes, not the canonical encoding of a point, or a point outside the prime-order group. The last
 *   covers small-order keys, for which anyone can make signatures, and keys on which cofactored and cofactorless verifiers differ.
 * @see RFC 8032 section 5.1.3
 */
export function ed25519Key(publicKey: Uint8Array): VerifyKey {
  const copy = Uint8Array.from(publicKey)
  if (!isPrimeOrder(copy))
    throw new LogError(
      'crypto',
      'weak_key',
      'this is not an Ed25519 key of prime order; make a new key pair',
    )
  return imported(copy)
}

function imported(publicKey: Uint8Array): VerifyKey {
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(publicKey) }
  const handle = node?.createPublicKey({ key: jwk, format: 'jwk' })
  return { algorithm: 'ed25519', publicKey, handle }
}

/**
 * Imports a raw Ed25519 key that another signature vouches for, in microseconds: its encoding alone is looked at. What that does not see
 * (bytes that encode no point, a point with a part of small order) gives a key for which its maker alone can make signatures, or nobody.
 *
 * @throws LogError `weak_key`: {@link isWeakEncoding}
 */
export function ed25519ChainKey(publicKey: Uint8Array): VerifyKey {
  if (isWeakEncoding(publicKey))
    throw new LogError('crypto', 'weak_key', 'anyone can sign for this key; make a new key pair')
  return imported(Uint8Array.from(publicKey))
}

/** y of the points whose order divides 8, little-endian: 0, 1, -1 and the two of order 8. The sign of x is left out. */
const smallOrderY: readonly Uint8Array[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
].map((y) => fromHex(y) as Uint8Array)

/** Whether these are not 32 bytes, not the canonical encoding of a y (that is, y is 2^255-19 or more), or encode a point of small order. */
export function isWeakEncoding(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32) return true
  const top = publicKey[31]! & 0x7f
  if (top === 0x7f && publicKey[0]! >= 0xed && publicKey.subarray(1, 31).every(isFull)) return true
  // Of most keys no more than this one byte is compared.
  return smallOrderY.some(
    (y) => y[31] === top && sameBytes(y.subarray(0, 31), publicKey.subarray(0, 31)),
  )
}

const isFull = (byte: number): boolean => byte === 0xff

/** The public key of a private one. @param seed 32 bytes, as RFC 8032 section 5.1.5 has them; costs about half a verification */
export function ed25519PublicKey(seed: Uint8Array): Uint8Array {
  if (node === undefined) return ed25519.getPublicKey(seed)
  // The platform reads `d` alone and insists on an `x`.
  const jwk = { kty: 'OKP', crv: 'Ed25519', d: toBase64url(seed), x: toBase64url(seed) }
  const { x } = node.createPrivateKey({ key: jwk, format: 'jwk' }).export({ format: 'jwk' })
  return fromBase64url(x) as Uint8Array
}

function isPrimeOrder(encoded: Uint8Array): boolean {
  try {
    const point = ed25519.Point.fromBytes(encoded, false)
    return !point.isSmallOrder() && point.isTorsionFree()
  } catch {
    return false
  }
}

/**
 * Whether `signature` (64 bytes) is `key`'s over `message`. Never throws on a bad signature. Refuses S + L and every encoding that is
 * not canonical. @noble checks the cofactored equation and OpenSSL the other: they agree once R, like the key, is of prime order.
 */
export function verifyEd25519(key: VerifyKey, message: Uint8Array, signature: Uint8Array): boolean {
  if (signature.length !== 64) return false
  if (node !== undefined) return node.verify(null, message, key.handle as object, signature)
  if (!ed25519.verify(signature, message, key.publicKey, { zip215: false })) return false
  return ed25519.Point.fromBytes(signature.slice(0, 32), false).isTorsionFree()
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, '0'),
)

/** Lower case. */
export function toHex(bytes: Uint8Array): string {
  if (buffer !== undefined)
    return buffer.Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex')
  let text = ''
  for (const byte of bytes) text += HEX[byte]
  return text
}

/** Undefined unless `text` is exactly what {@link toHex} gives for some bytes. */
export function fromHex(text: string): Uint8Array | undefined {
  if (text.length % 2 !== 0 || !/^[0-9a-f]*$/.test(text)) return undefined
  const bytes = new Uint8Array(text.length / 2)
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = Number.parseInt(text.slice(2 * i, 2 * i + 2), 16)
  return bytes
}

/** One after the other, in bytes of their own. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Not for secrets: how long it takes tells where they differ. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
