/**
 * SHA-256 (FIPS 180-4), strict Ed25519 verification (RFC 8032) and strict base64, base64url (RFC 4648) and hex. On Node the platform's
 * own code runs, elsewhere @noble: the answers are the same on both, and both are synchronous.
 */
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256 as nobleSha256 } from '@noble/hashes/sha2.js'
import { LogError } from './error.ts'

/** The part of node:crypto that is used; core imports nothing of Node. */
interface NodeCrypto {
  hash(algorithm: string, data: string | Uint8Array, encoding: string): string
  createPublicKey(key: { key: object; format: 'jwk' }): object
  verify(algorithm: null, data: Uint8Array, key: object, signature: Uint8Array): boolean
}
interface NodeBuffer {
  readonly Buffer: {
    from(bytes: ArrayBufferLike, at: number, length: number): { toString(encoding: string): string }
  }
}
type Loader = { getBuiltinModule?: (id: string) => unknown }
const builtin = (id: string): unknown =>
  (globalThis as { process?: Loader }).process?.getBuiltinModule?.(id)
const node = builtin('node:crypto') as NodeCrypto | undefined
const buffer = builtin('node:buffer') as NodeBuffer | undefined
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
  const jwk = { kty: 'OKP', crv: 'Ed25519', x: toBase64url(copy) }
  return { publicKey: copy, handle: node?.createPublicKey({ key: jwk, format: 'jwk' }) }
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

/** Standard alphabet, with padding. */
export function toBase64(bytes: Uint8Array): string {
  return encode(bytes, STANDARD) + '='.repeat((3 - (bytes.length % 3)) % 3)
}

/** Undefined unless `text` is exactly what {@link toBase64} gives for some bytes. */
export function fromBase64(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0) return undefined
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0
  return decode(text, text.length - padding, STANDARD)
}

/** URL alphabet, without padding. */
export function toBase64url(bytes: Uint8Array): string {
  return encode(bytes, URL_SAFE)
}

/** Undefined unless `text` is exactly what {@link toBase64url} gives for some bytes. */
export function fromBase64url(text: string): Uint8Array | undefined {
  return decode(text, text.length, URL_SAFE)
}

interface Alphabet {
  /** Two characters for each value of 12 bits. */
  readonly pairs: readonly string[]
  readonly characters: string
  /** UTF-16 unit to value. */
  readonly values: ReadonlyMap<number, number>
}
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
const STANDARD: Alphabet = alphabet(`${LETTERS}+/`)
const URL_SAFE: Alphabet = alphabet(`${LETTERS}-_`)

function alphabet(characters: string): Alphabet {
  const each = [...characters]
  return {
    characters,
    pairs: each.flatMap((high) => each.map((low) => high + low)),
    values: new Map(each.map((character, value) => [character.charCodeAt(0), value])),
  }
}

function encode(bytes: Uint8Array, { pairs, characters }: Alphabet): string {
  let text = ''
  let i = 0
  for (; i + 2 < bytes.length; i += 3) {
    const group = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    text += pairs[group >> 12]! + pairs[group & 0xfff]!
  }
  if (i + 1 === bytes.length) text += pairs[bytes[i]! << 4]!
  else if (i + 2 === bytes.length) {
    const group = (bytes[i]! << 10) | (bytes[i + 1]! << 2)
    text += pairs[group >> 6]! + characters[group & 63]!
  }
  return text
}

/** Undefined for another character, a length that no bytes have, and last bits that are not zero. */
function decode(text: string, length: number, { values }: Alphabet): Uint8Array | undefined {
  if (length % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((length * 3) / 4))
  let bits = 0
  let pending = 0
  let at = 0
  for (let i = 0; i < length; i++) {
    const value = values.get(text.charCodeAt(i))
    if (value === undefined) return undefined
    pending = ((pending << 6) | value) & 0x3fff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = pending >> bits
    }
  }
  return (pending & ((1 << bits) - 1)) === 0 ? bytes : undefined
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

/** Not for secrets: how long it takes tells where they differ. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
