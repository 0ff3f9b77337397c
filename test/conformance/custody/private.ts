/** Looks for private keys in whatever somebody could reach from a value: properties, hidden ones, getters, and printed forms. */
import { KeyObject } from 'node:crypto'
import { inspect } from 'node:util'
import { ed25519 } from '@noble/curves/ed25519.js'
import { p256 } from '@noble/curves/nist.js'

/** Where something private can be reached; empty when nothing is. */
export function findPrivate(values: unknown, publicKeys: readonly Uint8Array[]): string[] {
  const wanted = new Set(publicKeys.map(hex))
  const found: string[] = []
  const isSeed = (seed: Uint8Array): boolean =>
    seed.length === 32 && publicKeysOf(seed).some((key) => wanted.has(hex(key)))
  for (const [path, value] of reachable(values)) {
    if (value instanceof KeyObject && value.type === 'private') found.push(path)
    if (value instanceof Uint8Array && value.length >= 32 && value.length <= 128)
      if (windows(value).some(isSeed)) found.push(path)
    if (typeof value === 'string' && seedsIn(value).some(isSeed)) found.push(path)
  }
  for (const printed of [
    inspect(values, { depth: 9, showHidden: true, getters: true }),
    json(values),
  ])
    if (seedsIn(printed).some(isSeed)) found.push('printed')
  return found
}

/** What 32 bytes would be the private key of. */
function publicKeysOf(seed: Uint8Array): Uint8Array[] {
  const known = [ed25519.getPublicKey(seed)]
  return p256.utils.isValidSecretKey(seed) ? [...known, p256.getPublicKey(seed, false)] : known
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

function json(value: unknown): string {
  return (
    JSON.stringify(value, (_, member) => (typeof member === 'bigint' ? String(member) : member)) ??
    ''
  )
}

/** Every 32 bytes in a row: PKCS #8 and others put a seed at the end of something longer. */
function windows(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length - 31 }, (_, i) => bytes.subarray(i, i + 32))
}

/** What could be a seed in hex, base64 or base64url. */
function seedsIn(text: string): Uint8Array[] {
  const digits = text.match(/\b[0-9a-f]{64}\b/gi) ?? []
  const base64 = text.match(/[A-Za-z0-9+/_-]{43}(?![A-Za-z0-9+/_-])/g) ?? []
  return [
    ...digits.map((one) => Buffer.from(one, 'hex')),
    ...base64.map((one) => Buffer.from(one, 'base64url')),
  ]
}

function reachable(root: unknown): Map<string, unknown> {
  const found = new Map<string, unknown>()
  const seen = new Set<unknown>()
  const visit = (path: string, value: unknown): void => {
    found.set(path, value)
    const holds = (typeof value === 'object' && value !== null) || typeof value === 'function'
    if (!holds || seen.has(value) || value instanceof Uint8Array || value instanceof KeyObject)
      return
    seen.add(value)
    for (
      let at: object | null = value as object;
      at && at !== Object.prototype;
      at = Object.getPrototypeOf(at)
    )
      for (const name of Reflect.ownKeys(at)) visit(`${path}.${String(name)}`, read(value, name))
  }
  visit('', root)
  return found
}

function read(value: unknown, name: PropertyKey): unknown {
  try {
    return (value as Record<PropertyKey, unknown>)[name]
  } catch {
    return undefined
  }
}
