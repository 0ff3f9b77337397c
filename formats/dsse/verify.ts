/** Which of an envelope's signatures hold. What a key may vouch for, the caller decides. */
import { type P256Key, type VerifyKey, verifyEd25519, verifyP256 } from '../../core/crypto.ts'
import { type Envelope, pae } from './envelope.ts'

/** A key and the name under which envelopes mention it. */
export interface NamedKey {
  readonly kid: string
  readonly key: P256Key | VerifyKey
}
/**
 * What a signature came to. `valid`: by this key. `invalid`: by none of the keys that its hint allows. `unknown`: its hint names no key
 * that is known.
 */
export type SignatureResult<K extends NamedKey> =
  | { readonly check: 'invalid'; readonly keyid: string }
  | { readonly check: 'unknown'; readonly keyid: string }
  | { readonly check: 'valid'; readonly keyid: string; readonly key: K }

/** One result a signature, in their order. A hint that names a known key keeps the others from being tried; without one each is. */
export function verifyEnvelope<K extends NamedKey>(
  envelope: Envelope,
  keys: readonly K[],
): readonly SignatureResult<K>[] {
  const message = pae(envelope.payloadType, envelope.payload)
  return envelope.signatures.map(({ keyid, sig }) => {
    const tried = keyid === '' ? keys : keys.filter(({ kid }) => kid === keyid)
    if (tried.length === 0) return { check: 'unknown', keyid }
    const key = tried.find((one) => holds(one, message, sig))
    return key === undefined ? { check: 'invalid', keyid } : { check: 'valid', keyid, key }
  })
}

/** Of 64 bytes in either algorithm; ECDSA's are r and s. */
const holds = ({ key }: NamedKey, message: Uint8Array, sig: Uint8Array): boolean =>
  key.algorithm === 'ed25519' ? verifyEd25519(key, message, sig) : verifyP256(key, message, sig)
