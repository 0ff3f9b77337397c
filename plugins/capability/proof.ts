/** Whether the holder of a token presents it itself. */
import { ed25519ChainKey, fromBase64url, isWeakEncoding, verifyEd25519 } from '../../core/crypto.ts'
import { proofMessage, type Token } from '../../formats/cap1/index.ts'
import { nonceId } from './keys.ts'
import type { CapabilityFacts, UsePayload } from './schema.ts'

type ProofFact = CapabilityFacts['proof']

/** Checked over the token's text and the operation as it is asked for. A token that names no holder takes any key's. */
export function proofOf(
  { authority, text }: Token,
  { at, operation, proof }: UsePayload,
): ProofFact {
  if (proof === undefined) return { check: 'absent' }
  const { key, nonce, signature, time } = proof
  if (authority.cnf !== undefined && authority.cnf !== key) return { check: 'key_mismatch' }
  const publicKey = fromBase64url(key)
  const signed = fromBase64url(signature)
  if (publicKey === undefined || isWeakEncoding(publicKey) || signed === undefined)
    return { check: 'signature_invalid' }
  const message = proofMessage({ token: text, audience: at, nonce, time, request: operation })
  return verifyEd25519(ed25519ChainKey(publicKey), message, signed)
    ? { check: 'valid', id: nonceId(key, nonce), time }
    : { check: 'signature_invalid' }
}
