/** Whether a token's issuer and holders signed what it says. */
import {
  ed25519ChainKey,
  ed25519PublicKey,
  sameBytes,
  type VerifyKey,
  verifyEd25519,
} from '../../core/crypto.ts'
import { blockMessage, sealMessage } from './frame.ts'
import type { Token } from './read.ts'

const NOTHING = new Uint8Array()

/** What an issuer signs. @param payload see `authorityPayload` */
export const authorityMessage = (payload: Uint8Array): Uint8Array =>
  blockMessage(0, NOTHING, payload)

/**
 * `valid`: one of the issuer's keys signed the authority block, each further block is signed by the key that the one before it names, and
 * so is the seal; or the private key at the end is that of the last block. It says nothing of who the issuer is, of time, or of caveats.
 *
 * @param issuerKeys those of the cell that the token names; with none, nothing is valid
 * @param chainKey imports the keys that blocks name, for callers that keep imported keys
 */
export function verifyToken(
  token: Token,
  issuerKeys: readonly VerifyKey[],
  chainKey: (publicKey: Uint8Array) => VerifyKey = ed25519ChainKey,
): 'signature_invalid' | 'valid' {
  let keys = issuerKeys
  let previous: Uint8Array = NOTHING
  let next: Uint8Array = NOTHING
  for (const [i, { nk, payload, signature }] of token.blocks.entries()) {
    if (i > 0) keys = [chainKey(next)]
    const message = blockMessage(i, previous, payload)
    if (!keys.some((key) => verifyEd25519(key, message, signature))) return 'signature_invalid'
    previous = signature
    next = nk
  }
  return endsWell(token, previous, next, chainKey) ? 'valid' : 'signature_invalid'
}

/** @param signature of the last block, whose next key is `next` */
function endsWell(
  { blocks, last }: Token,
  signature: Uint8Array,
  next: Uint8Array,
  chainKey: (publicKey: Uint8Array) => VerifyKey,
): boolean {
  if ('seed' in last) return sameBytes(ed25519PublicKey(last.seed), next)
  return verifyEd25519(chainKey(next), sealMessage(blocks.length, signature), last.seal)
}
