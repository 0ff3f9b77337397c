/**
 * One key version as a file: a JWK (RFC 8037: `OKP`, `Ed25519`) with its state and, where a clock was given, when it was made.
 * Reading is strict: a weak key, or a public half that is not the private half's, is refused before it is used.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { ed25519Key, fromBase64url, sameBytes } from '../../../core/crypto.ts'
import { type Json, parseJson } from '../../../core/json.ts'
import { KEY_STATES, type KeyState } from '../../../core/ports/custody.ts'
import { refuse } from './failure.ts'

export interface StoredKey {
  readonly secret: KeyObject
  readonly publicKey: Uint8Array
  readonly state: KeyState
  /** RFC 3339. */
  readonly created: string | undefined
}

export function generateKey(created: string | undefined): StoredKey {
  const secret = generateKeyPairSync('ed25519').privateKey
  return { secret, publicKey: publicKeyOf(secret), state: 'pre-active', created }
}

export function encodeKey({ secret, state, created }: StoredKey): Uint8Array {
  const { kty, crv, x, d } = secret.export({ format: 'jwk' })
  return new TextEncoder().encode(
    `${JSON.stringify({ kty, crv, x, d, state, created }, null, 2)}\n`,
  )
}

/** `path` is for messages. @throws CustodyError `weak_key`, `corrupt`; without a cause, which could quote the file */
export function decodeKey(path: string, bytes: Uint8Array): StoredKey {
  const { x, d, state, created } = membersOf(path, bytes)
  const publicKey = fromBase64url(x)
  if (publicKey?.length !== 32 || fromBase64url(d)?.length !== 32) throw corrupt(path)
  if (isWeak(publicKey))
    throw refuse('weak_key', `${path} has a public key that anyone can sign for; revoke it`)
  const secret = importKey(path, x, d)
  if (!sameBytes(publicKeyOf(secret), publicKey))
    throw refuse('corrupt', `${path} has halves of two different keys; restore it`)
  return { secret, publicKey, state, created }
}

interface Members {
  readonly x: string
  readonly d: string
  readonly state: KeyState
  readonly created: string | undefined
}

function membersOf(path: string, bytes: Uint8Array): Members {
  const { kty, crv, x, d, state, created, ...rest } = parse(path, bytes)
  const known = KEY_STATES.find((one) => one === state)
  const unknown = Object.keys(rest).length > 0 || kty !== 'OKP' || crv !== 'Ed25519'
  if (unknown || !known || typeof x !== 'string' || typeof d !== 'string') throw corrupt(path)
  if (created !== undefined && typeof created !== 'string') throw corrupt(path)
  return { x, d, state: known, created }
}

function parse(path: string, bytes: Uint8Array): { readonly [member: string]: Json } {
  try {
    const value = parseJson(bytes, { maxDepth: 2 })
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as never
  } catch {
    // The parser's error says where in the file, and might say what.
  }
  throw corrupt(path)
}

function importKey(path: string, x: string, d: string): KeyObject {
  try {
    return createPrivateKey({ key: { kty: 'OKP', crv: 'Ed25519', x, d }, format: 'jwk' })
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

/** Computed from the private half: importing a JWK does not compare the two. */
function publicKeyOf(secret: KeyObject): Uint8Array {
  const { x } = createPublicKey(secret).export({ format: 'jwk' })
  return fromBase64url(String(x)) ?? new Uint8Array()
}

const corrupt = (path: string): Error =>
  refuse('corrupt', `${path} is not a key of ours; restore it`)
