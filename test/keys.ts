/** What keys of cells, tenants and controllers sign outside of any custody. */
import { fromBase64url, randomBytes, toBase64url } from '../core/crypto.ts'
import type { Json } from '../core/json.ts'
import {
  bindMessage,
  callMessage,
  handOverMessage,
  type Owner,
  type Said,
} from '../formats/call/index.ts'
import { pairOf } from './tokens.ts'

export interface SigningKey {
  /** base64url */
  readonly publicKey: string
  sign(message: Uint8Array): Uint8Array
  /** base64url: proof of possession. */
  binds(owner: Owner): string
  /** base64url */
  handsOver(owner: Owner, publicKey: string): string
}

/** Always the same for a name. */
export function signingKey(name: string): SigningKey {
  const { publicKey, sign } = pairOf(name)
  return {
    publicKey,
    sign,
    binds: (owner) => toBase64url(sign(bindMessage(owner))),
    handsOver: (owner, next) => toBase64url(sign(handOverMessage(owner, next))),
  }
}

/** The payload of a call that the cell's key signed; a new nonce where none is given. */
export function signedCall(
  key: Pick<SigningKey, 'sign'>,
  said: Omit<Said, 'nonce'> & { readonly nonce?: string },
): Json {
  const nonce = said.nonce ?? toBase64url(randomBytes(16))
  const signature = toBase64url(key.sign(callMessage({ ...said, nonce })))
  const { body, cell, time } = said
  return { body, call: { cell, nonce, signature, time } }
}

/** Points that are no keys: for the identity, one signature verifies for every message. */
export const WEAK_KEYS: readonly string[] = [
  // The identity, and the same point in a form that is not canonical.
  new Uint8Array(32).with(0, 1),
  new Uint8Array(32).fill(255).with(0, 0xee).with(31, 0x7f),
  // Of order 4: y = 0.
  new Uint8Array(32),
].map(toBase64url)

/** With one bit changed. */
export function flipped(text: string): string {
  const bytes = fromBase64url(text) as Uint8Array
  return toBase64url(bytes.with(0, (bytes[0] as number) ^ 1))
}
