/** Whether a token's issuer and holders signed what it says. */
import { sameBytes, type VerifyKey, verifyEd25519 } from '../../core/crypto.ts'
import { blockMessage, sealMessage } from './frame.ts'
import { type ChainKeys, KEPT_KEYS } from './keys.ts'
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
 */
export function verifyToken(
  token: Token,
  issuerKeys: readonly VerifyKey[],
  chainKeys: ChainKeys = KEPT_KEYS,
): 'signature_invalid' | 'valid' {
  let keys = issuerKeys
  let previous: Uint8Array = NOTHING
  let next: Uint8Array = NOTHING
  for (const [i, { nk, payload, signature }] of token.blocks.entries()) {
    if (i > 0) keys = [chainKeys.verifyKey(next)]
    const message = blockMessage(i, previous, payload)
    if (!keys.some((key) => verifyEd25519(key, message, signature))) return 'signature_invalid'
    previous = signature
    next = nk
  }
  return endsWell(token, previous, next, chainKeys) ? 'valid' : 'signature_invalid'
}

/** @param signature of the last block, whose next key is `next` */
function endsWell(
  { blocks, last }: Token,
  signature: Uint8Array,
  next: Uint8Array,
  chainKeys: ChainKeys,
): boolean {
  if ('seed' in last) return sameBytes(chainKeys.publicKey(last.seed), next)
  const message = sealMessage(blocks.length, signature)
  return verifyEd25519(chainKeys.verifyKey(next), message, last.seal)
}
