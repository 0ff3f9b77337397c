/**
 * Signatures of tokens, checked synchronously: by @noble for shared secrets, by the runtime for RSA, ECDSA and Ed25519.
 *
 * @see RFC 7518
 */
import type { KeyObject } from 'node:crypto'
import { type HashName, mac, sameBytes } from '../crypto/digest.ts'
import type { NodeCrypto } from '../crypto/node.ts'
import { bytesOf } from '../texts.ts'

export interface Signed {
  /** Header and payload as they stand in the token. */
  readonly text: string
  readonly signature: Uint8Array
}

export function hashOf(alg: string): HashName {
  return `sha${alg.slice(-3)}` as HashName
}

export function macHolds({ text, signature }: Signed, alg: string, secret: Uint8Array): boolean {
  return sameBytes(mac(hashOf(alg), secret, bytesOf(text)), signature)
}

/** False also for a key of another kind. RSA keys below 1024 bits hold nothing, as in Go. */
export function signatureHolds(
  crypto: NodeCrypto,
  signed: Signed,
  alg: string,
  key: KeyObject,
): boolean {
  const data = bytesOf(signed.text)
  const { signature } = signed
  const type = key.asymmetricKeyType
  if (alg === 'EdDSA') return type === 'ed25519' && crypto.verify(null, data, key, signature)
  const hash = hashOf(alg)
  const kind = alg.slice(0, 2)
  if (kind === 'ES') {
    const sized = type === 'ec' ? fitted(signature, key) : undefined
    return (
      sized !== undefined && crypto.verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, sized)
    )
  }
  if (type !== 'rsa' || (key.asymmetricKeyDetails?.modulusLength ?? 0) < 1024) return false
  if (kind === 'RS') return crypto.verify(hash, data, key, signature)
  const padding = crypto.constants.RSA_PKCS1_PSS_PADDING
  const saltLength = crypto.constants.RSA_PSS_SALTLEN_AUTO
  return kind === 'PS' && crypto.verify(hash, data, { key, padding, saltLength }, signature)
}

const SIZES: Readonly<Record<string, number>> = { prime256v1: 32, secp384r1: 48, secp521r1: 66 }

/** Bytes of one half of a signature by this key. */
export function halfOf(key: KeyObject): number | undefined {
  return SIZES[key.asymmetricKeyDetails?.namedCurve ?? '']
}

/** The two halves are numbers: zeros in front of them count for nothing. */
function fitted(signature: Uint8Array, key: KeyObject): Uint8Array | undefined {
  const size = halfOf(key)
  if (size === undefined) return undefined
  const middle = Math.floor(signature.length / 2)
  const halves = [signature.subarray(0, middle), signature.subarray(middle)]
  const sized = new Uint8Array(2 * size)
  for (const [i, half] of halves.entries()) {
    const first = half.findIndex((byte) => byte !== 0)
    const digits = first < 0 ? half.subarray(half.length) : half.subarray(first)
    if (digits.length > size) return undefined
    sized.set(digits, (i + 1) * size - digits.length)
  }
  return sized
}
