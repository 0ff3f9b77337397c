/** minisign public keys: 42 bytes, algorithm, key id and Ed25519 key, in base64; a `.pub` file has a comment line before. */
import { toBase64 } from '../../core/base64.ts'
import { ed25519Key, toHex, type VerifyKey } from '../../core/crypto.ts'
import { LogError } from '../../core/error.ts'
import { BUFFERS, base64Of, Lines, latin1 } from './lines.ts'

export interface MinisignKey {
  /** 8 bytes that the key's owner chose: which key to try, and no more than that. */
  readonly keyId: Uint8Array
  readonly key: VerifyKey
}
export interface UnreadableKey {
  /** `weak_key`: anyone can make signatures for it, or verifiers would not agree on them. */
  readonly problem: 'malformed' | 'weak_key'
}

export const KEY_ID_BYTES = 8
const KEY_BYTES = 42
const encoder = new TextEncoder()

/** The base64 text alone, as `minisign -P` takes it. Costs a few milliseconds. */
export function readPublicKey(text: string): MinisignKey | UnreadableKey {
  return decodeKey(base64Of(encoder.encode(text), KEY_BYTES))
}

/** A whole `.pub` file, as `minisign -p` takes it: a first line of any content, then the key. */
export function readPublicKeyFile(file: Uint8Array): MinisignKey | UnreadableKey {
  const lines = new Lines(file)
  if (lines.next(BUFFERS.comment) === undefined) return { problem: 'malformed' }
  const line = lines.last(BUFFERS.key)
  return decodeKey(line && base64Of(line, KEY_BYTES))
}

function decodeKey(bytes: Uint8Array | undefined): MinisignKey | UnreadableKey {
  // Signatures have two algorithms, a key has this one.
  if (bytes === undefined || latin1(bytes.subarray(0, 2)) !== 'Ed') return { problem: 'malformed' }
  try {
    return { keyId: bytes.slice(2, 10), key: ed25519Key(bytes.subarray(10)) }
  } catch (error) {
    if (error instanceof LogError) return { problem: 'weak_key' }
    throw error
  }
}

/** As minisign prints it: the bytes in reverse, 16 upper-case hex digits. */
export function keyIdText(keyId: Uint8Array): string {
  return toHex(Uint8Array.from(keyId).reverse()).toUpperCase()
}

/** What {@link readPublicKey} reads. */
export function publicKeyText({ keyId, publicKey }: KeyParts): string {
  return toBase64(Uint8Array.of(0x45, 0x64, ...keyId, ...publicKey))
}

/** What {@link readPublicKeyFile} reads. */
export function publicKeyFile(parts: KeyParts): string {
  const id = keyIdText(parts.keyId)
  return `untrusted comment: minisign public key ${id}\n${publicKeyText(parts)}\n`
}

export interface KeyParts {
  readonly keyId: Uint8Array
  readonly publicKey: Uint8Array
}
