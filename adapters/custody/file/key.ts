/**
 * One key version as a file: a JWK (RFC 8037: `OKP`, `Ed25519`; RFC 7518: `EC`, `P-256`) with its state and, where a clock was given, when it
 * was made. Reading is strict: a weak key, or a public half that is not the private half's, is refused before it is used.
 */
import {
  createECDH,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  type KeyObject,
} from 'node:crypto'
import { concatBytes, ed25519Key, fromBase64url, sameBytes } from '../../../core/crypto.ts'
import { type Json, parseJson } from '../../../core/json.ts'
import { KEY_STATES, type KeyAlgorithm, type KeyState } from '../../../core/ports/custody.ts'
import { refuse } from './failure.ts'

export interface StoredKey {
  readonly algorithm: KeyAlgorithm
  readonly secret: KeyObject
  /** As the port has it: 32 bytes, or a point of 65. */
  readonly publicKey: Uint8Array
  readonly state: KeyState
  /** RFC 3339. */
  readonly created: string | undefined
}

export function generateKey(algorithm: KeyAlgorithm, created: string | undefined): StoredKey {
  const { privateKey: secret } =
    algorithm === 'ed25519'
      ? generateKeyPairSync('ed25519')
      : generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicKey = publicBytes(createPublicKey(secret).export({ format: 'jwk' }))
  return { algorithm, secret, publicKey, state: 'pre-active', created }
}

export function encodeKey({ secret, state, created }: StoredKey): Uint8Array {
  const { kty, crv, x, y, d } = secret.export({ format: 'jwk' })
  return new TextEncoder().encode(
    `${JSON.stringify({ kty, crv, x, y, d, state, created }, null, 2)}\n`,
  )
}

/** `path` is for messages. @throws CustodyError `weak_key`, `corrupt`; without a cause, which could quote the file */
export function decodeKey(path: string, bytes: Uint8Array): StoredKey {
  const { algorithm, jwk, state, created } = membersOf(path, bytes)
  const publicKey = publicBytes(jwk)
  if (algorithm === 'ed25519' && isWeak(publicKey))
    throw refuse('weak_key', `${path} has a public key that anyone can sign for; revoke it`)
  const secret = importKey(path, jwk)
  if (!sameBytes(publicKeyOf(path, algorithm, secret), publicKey))
    throw refuse('corrupt', `${path} has halves of two different keys; restore it`)
  return { algorithm, secret, publicKey, state, created }
}

type Jwk = Readonly<Record<string, string>>
interface Members {
  readonly algorithm: KeyAlgorithm
  readonly jwk: Jwk
  readonly state: KeyState
  readonly created: string | undefined
}

function membersOf(path: string, bytes: Uint8Array): Members {
  const { kty, crv, x, y, d, state, created, ...rest } = parse(path, bytes)
  const known = KEY_STATES.find((one) => one === state)
  if (Object.keys(rest).length > 0 || known === undefined) throw corrupt(path)
  if (created !== undefined && typeof created !== 'string') throw corrupt(path)
  const isEdwards = kty === 'OKP' && crv === 'Ed25519' && y === undefined
  const isP256 = kty === 'EC' && crv === 'P-256'
  if (!isEdwards && !isP256) throw corrupt(path)
  const numbers = isP256 ? { x, y, d } : { x, d }
  if (!Object.values(numbers).every(isNumber)) throw corrupt(path)
  const jwk = { kty, crv, ...numbers } as Jwk
  return { algorithm: isP256 ? 'ecdsa-p256' : 'ed25519', jwk, state: known, created }
}

/** Every number of both curves has 32 bytes. */
const isNumber = (value: Json | undefined): boolean =>
  typeof value === 'string' && fromBase64url(value)?.length === 32

function parse(path: string, bytes: Uint8Array): { readonly [member: string]: Json } {
  try {
    const value = parseJson(bytes, { maxDepth: 2 })
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as never
  } catch {
    // The parser's error says where in the file, and might say what.
  }
  throw corrupt(path)
}

function importKey(path: string, key: Jwk): KeyObject {
  try {
    return createPrivateKey({ key: key as JsonWebKey, format: 'jwk' })
  } catch {
    throw corrupt(path)
  }
}

function isWeak(publicKey: Uint8Array): boolean {
  try {
    ed25519Key(publicKey)
    return false
  } catch {
    return true
  }
}

/** Computed from the private half: importing a JWK does not always compare the two. */
function publicKeyOf(path: string, algorithm: KeyAlgorithm, secret: KeyObject): Uint8Array {
  if (algorithm === 'ed25519') return publicBytes(createPublicKey(secret).export({ format: 'jwk' }))
  const d = Buffer.from(String(secret.export({ format: 'jwk' }).d), 'base64url')
  try {
    const curve = createECDH('prime256v1')
    curve.setPrivateKey(d)
    return new Uint8Array(curve.getPublicKey())
  } catch {
    throw corrupt(path)
  } finally {
    d.fill(0)
  }
}

const UNCOMPRESSED = Uint8Array.of(4)

function publicBytes({ x, y }: Readonly<Record<string, unknown>>): Uint8Array {
  const [first = new Uint8Array(), second] = [x, y].map((one) => fromBase64url(String(one)))
  return second === undefined ? first : concatBytes([UNCOMPRESSED, first, second])
}

const corrupt = (path: string): Error =>
  refuse('corrupt', `${path} is not a key of ours; restore it`)
