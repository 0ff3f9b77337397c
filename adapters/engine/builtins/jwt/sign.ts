/**
 * Tokens made. The same operands give the same token: ECDSA chooses its number by RFC 6979, and PSS its salt from a digest of the key and
 * what is signed, so that an evaluation can be repeated.
 */
import type { KeyObject } from 'node:crypto'
import { p256, p384, p521 } from '@noble/curves/nist.js'
import { get, isObject, type Value } from '../../value/value.ts'
import { type Context, fail } from '../builtin.ts'
import { digest, type HashName, mac } from '../crypto/digest.ts'
import { type NodeCrypto, nodeCrypto } from '../crypto/node.ts'
import { readJson } from '../json/index.ts'
import { decodeUrlSafe, encode, URL_SAFE } from '../strings/encoding.ts'
import { bytesOf } from '../texts.ts'
import { ALGORITHMS, jwkSet, keyObject } from './keys.ts'
import { hashOf } from './signature.ts'

/** All three are JSON: the header and the payload as they are to be written, a JWK or a set whose first key signs. */
export function sign(
  context: Context,
  header: string,
  payload: string,
  jwk: string,
): Value | undefined {
  const [first] = jwkSet(jwk) ?? []
  const crypto = nodeCrypto(context)
  if (crypto === undefined) return undefined
  const key = first === undefined ? undefined : keyObject(crypto, first)
  if (key === undefined) return fail(context, 'no key to sign with')
  const members = readJson(header)
  const alg = isObject(members) ? get(members, 'alg') : undefined
  if (typeof alg !== 'string' || !ALGORITHMS.includes(alg))
    return fail(context, 'the header names no known algorithm')
  const typ = get(members, 'typ')
  const isJwt = typeof typ !== 'string' || typ === 'JWT'
  if (isJwt && readJson(payload) === undefined) return fail(context, 'the payload is not JSON')
  const text = `${unpadded(bytesOf(header))}.${unpadded(bytesOf(payload))}`
  const signature = signatureOf(crypto, alg, key, first!, bytesOf(text))
  if (signature === undefined) return fail(context, 'the key does not fit the algorithm')
  return `${text}.${unpadded(signature)}`
}

function unpadded(bytes: Uint8Array): string {
  return encode(bytes, URL_SAFE).replace(/=+$/, '')
}

function signatureOf(
  crypto: NodeCrypto,
  alg: string,
  key: KeyObject | Uint8Array,
  jwk: Value,
  data: Uint8Array,
): Uint8Array | undefined {
  const kind = alg.slice(0, 2)
  if (kind === 'HS')
    return key instanceof Uint8Array && key.length > 0 ? mac(hashOf(alg), key, data) : undefined
  if (key instanceof Uint8Array || key.type !== 'private') return undefined
  const type = key.asymmetricKeyType
  if (kind === 'ES') return type === 'ec' ? ecdsa(alg, jwk, data) : undefined
  if (alg === 'EdDSA') return type === 'ed25519' ? crypto.sign(null, data, key) : undefined
  if (type !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < 1024) return undefined
  return kind === 'RS' ? crypto.sign(hashOf(alg), data, key) : pss(crypto, hashOf(alg), key, data)
}

const CURVES = { 'P-256': p256, 'P-384': p384, 'P-521': p521 } as const

/** With the curve of the key, whatever the size of the digest, as OPA does. */
function ecdsa(alg: string, jwk: Value, data: Uint8Array): Uint8Array | undefined {
  const curve = CURVES[get(jwk, 'crv') as keyof typeof CURVES]
  const secret = decodeUrlSafe(get(jwk, 'd') as string)
  if (curve === undefined || secret === undefined) return undefined
  return curve.sign(digest(hashOf(alg), data), secret, { prehash: false, lowS: false })
}

/** EMSA-PSS with a salt as long as the digest. @see RFC 8017, section 9.1.1 */
function pss(
  crypto: NodeCrypto,
  hash: HashName,
  key: KeyObject,
  data: Uint8Array,
): Uint8Array | undefined {
  const bits = key.asymmetricKeyDetails!.modulusLength! - 1
  const size = Math.ceil(bits / 8)
  const hashed = digest(hash, data)
  const der = key.export({ format: 'der', type: 'pkcs8' })
  const salt = mac(hash, digest(hash, der), hashed)
  if (size < hashed.length + salt.length + 2) return undefined
  const trailer = digest(hash, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0, ...hashed, ...salt))
  const block = new Uint8Array(size - hashed.length - 1)
  block.set([1, ...salt], block.length - salt.length - 1)
  const mask = maskOf(hash, trailer, block.length)
  const masked = block.map((byte, i) => byte ^ mask[i]!)
  masked[0]! &= 0xff >> (8 * size - bits)
  const message = Uint8Array.of(...masked, ...trailer, 0xbc)
  const modulus = Math.ceil((bits + 1) / 8)
  const padded = new Uint8Array(modulus)
  padded.set(message, modulus - message.length)
  return crypto.privateEncrypt({ key, padding: crypto.constants.RSA_NO_PADDING }, padded)
}

/** MGF1. */
function maskOf(hash: HashName, seed: Uint8Array, length: number): Uint8Array {
  const mask: number[] = []
  for (let i = 0; mask.length < length; i++)
    mask.push(...digest(hash, Uint8Array.of(...seed, 0, 0, i >> 8, i & 255)))
  return Uint8Array.from(mask.slice(0, length))
}
