/**
 * The outside of a `cap1` token, which its issuer, its holder and its verifier share: how text is split into parts, and the exact bytes
 * that each signature covers. docs/tokens.md describes the format.
 */

/** Of the text: a longer one is not looked into. */
export const MAX_TOKEN_BYTES = 16_384
/** The authority block is one of them. */
export const MAX_BLOCKS = 16
/** Of a seed and of a public key. */
export const KEY_BYTES = 32
export const SIGNATURE_BYTES = 64

const PREFIX = 'cap1'
const encoder = new TextEncoder()
const BLOCK_TAG = encoder.encode('assay/cap1/block/v1\0')
const SEAL_TAG = encoder.encode('assay/cap1/seal/v1\0')
const PROOF_TAG = encoder.encode('assay/cap1/proof/v1\0')

/** A token's parts, still in base64url. */
export interface Frame {
  readonly blocks: readonly { readonly payload: string; readonly signature: string }[]
  /** The last block's private key, or the seal. */
  readonly last: string
}

/** Size comes first, then the number of blocks, then everything else. */
export function splitToken(text: string): Frame | 'malformed' | 'too_large' {
  if (text.length > MAX_TOKEN_BYTES) return 'too_large'
  const parts = text.split('.')
  const count = (parts.length - 2) / 2
  if (parts[0] !== PREFIX) return 'malformed'
  if (count >= MAX_BLOCKS + 1) return 'too_large'
  if (count < 1 || !Number.isInteger(count)) return 'malformed'
  const blocks: { payload: string; signature: string }[] = []
  for (let i = 1; i + 1 < parts.length; i += 2)
    blocks.push({ payload: parts[i] as string, signature: parts[i + 1] as string })
  return { blocks, last: parts.at(-1) as string }
}

export function joinToken({ blocks, last }: Frame): string {
  const parts = blocks.flatMap(({ payload, signature }) => [payload, signature])
  return [PREFIX, ...parts, last].join('.')
}

/** What the signature of block `i` covers. @param previousSignature 64 bytes; none for the authority block, `i` = 0 */
export function blockMessage(
  i: number,
  previousSignature: Uint8Array,
  payload: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return concat(BLOCK_TAG, u32(i), previousSignature, payload)
}

/** What a seal covers: through the last signature, every block before it. @param count of blocks, the authority block included */
export function sealMessage(count: number, lastSignature: Uint8Array): Uint8Array<ArrayBuffer> {
  return concat(SEAL_TAG, u32(count), lastSignature)
}

/** What a proof of possession covers. Both are SHA-256: of the token's text, and of the canonical JSON of the presentation. */
export function proofBytes(
  tokenHash: Uint8Array,
  presentationHash: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return concat(PROOF_TAG, tokenHash, presentationHash)
}

function u32(value: number): Uint8Array {
  return Uint8Array.of(value >>> 24, value >>> 16, value >>> 8, value)
}

/** Messages share buffers: one of its own for each costs more than the copying. */
const SHARED_BYTES = 262_144
let shared = new Uint8Array(SHARED_BYTES)
let used = 0

/** Nobody else gets the same bytes. */
function concat(...parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  let length = 0
  for (const part of parts) length += part.length
  if (used + length > shared.length) {
    shared = new Uint8Array(Math.max(SHARED_BYTES, length))
    used = 0
  }
  const from = used
  for (const part of parts) {
    shared.set(part, used)
    used += part.length
  }
  return shared.subarray(from, used)
}
