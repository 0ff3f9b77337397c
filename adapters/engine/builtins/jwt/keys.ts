/** Keys as policies name them: a certificate or a public key as PEM, a JWK, a JWK set. Nothing is fetched. */
import type { KeyObject } from 'node:crypto'
import { get, isArray, isObject, type Value } from '../../value/value.ts'
import { type Context, fail } from '../builtin.ts'
import { type NodeCrypto, nodeCrypto } from '../crypto/node.ts'
import { firstBlock } from '../crypto/pem.ts'
import { readJson } from '../json/index.ts'
import { decodeUrlSafe } from '../strings/encoding.ts'

export const ALGORITHMS: readonly string[] = [
  ...['HS', 'RS', 'PS', 'ES'].flatMap((kind) => ['256', '384', '512'].map((size) => kind + size)),
  'EdDSA',
]

export interface Key {
  /** Bytes of a shared secret, or a key of the runtime. */
  readonly key: KeyObject | Uint8Array
  /** Empty where the key names none. */
  readonly alg: string
  readonly kid: string
}

/** Policies check many tokens against few keys, and reading keys takes longer than a check. */
const known = new Map<string, readonly Key[]>()
const KEPT = 100

/** Undefined, with the failure set, for what is no key. */
export function verificationKeys(context: Context, text: string): readonly Key[] | undefined {
  const kept = known.get(text)
  if (kept !== undefined) return kept
  const crypto = nodeCrypto(context)
  if (crypto === undefined) return undefined
  const keys = readKeys(crypto, text)
  if (keys === undefined) return fail(context, 'neither a certificate nor a key')
  if (known.size >= KEPT) known.delete(known.keys().next().value!)
  known.set(text, keys)
  return keys
}

function readKeys(crypto: NodeCrypto, text: string): readonly Key[] | undefined {
  const block = firstBlock(text)
  if (block === undefined) return jwks(text)?.flatMap((jwk) => publicKey(crypto, jwk) ?? [])
  if (block.rest !== '') return undefined
  const key = pemKey(crypto, block.type, block.bytes)
  return key && [{ key, alg: '', kid: '' }]

  function jwks(source: string): readonly Value[] | undefined {
    const all = jwkSet(source)
    return all?.every((jwk) => keyObject(crypto, jwk) !== undefined) ? all : undefined
  }
}

function pemKey(crypto: NodeCrypto, type: string, bytes: Uint8Array): KeyObject | undefined {
  try {
    if (type === 'CERTIFICATE') return new crypto.X509Certificate(bytes).publicKey
    if (type !== 'PUBLIC KEY') return undefined
    return crypto.createPublicKey({ key: Buffer.from(bytes), format: 'der', type: 'spki' })
  } catch {
    // Whatever OpenSSL says of it, it is no key.
    return undefined
  }
}

/** A set's keys, or the one key. */
export function jwkSet(text: string): readonly Value[] | undefined {
  const value = readJson(text)
  if (!isObject(value)) return undefined
  const keys = get(value, 'keys')
  if (keys === undefined) return [value]
  return isArray(keys) ? keys : undefined
}

function textMember(jwk: Value, name: string): string {
  const value = get(jwk, name)
  return typeof value === 'string' ? value : ''
}

/** What an algorithm that OPA does not know is for is skipped. */
function publicKey(crypto: NodeCrypto, jwk: Value): Key | undefined {
  const alg = textMember(jwk, 'alg')
  if (alg !== '' && !ALGORITHMS.includes(alg)) return undefined
  return { key: keyObject(crypto, jwk)!, alg, kid: textMember(jwk, 'kid') }
}

/** Private where the JWK has its private part. Undefined for what is no key. */
export function keyObject(crypto: NodeCrypto, jwk: Value): KeyObject | Uint8Array | undefined {
  const kty = textMember(jwk, 'kty')
  if (kty === 'oct') {
    const k = get(jwk, 'k')
    return typeof k === 'string' ? decodeUrlSafe(k) : undefined
  }
  if (!['RSA', 'EC', 'OKP'].includes(kty)) return undefined
  const key = jwk as never
  try {
    return textMember(jwk, 'd') === ''
      ? crypto.createPublicKey({ key, format: 'jwk' })
      : crypto.createPrivateKey({ key, format: 'jwk' })
  } catch {
    return undefined
  }
}
