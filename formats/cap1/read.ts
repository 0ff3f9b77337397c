/** From the text of a `cap1` token to its parts: everything about it that can be said without a key. */
import { fromBase64url } from '../../core/base64.ts'
import { isWeakEncoding, sha256Hex } from '../../core/crypto.ts'
import { type Frame, KEY_BYTES, SIGNATURE_BYTES, splitToken } from './frame.ts'
import { type Authority, type Caveat, readAttenuation, readAuthority } from './payload.ts'

export interface Block {
  readonly caveats: readonly Caveat[]
  /** The public key of the next block, or of the seal. */
  readonly nk: Uint8Array
  /** The bytes that were signed. */
  readonly payload: Uint8Array
  readonly signature: Uint8Array
  /** What revokes this block and every token that builds on it: the SHA-256 of the signature, in hex. */
  readonly handle: string
}

/** What stands last: the private key that adds a block, or the signature after which none can be added. */
export type Last = { readonly seed: Uint8Array } | { readonly seal: Uint8Array }

/** Nothing of it is verified. */
export interface Token {
  readonly text: string
  readonly authority: Authority
  /** The authority block first; their number is 1 to 16. The first one's handle is the token's id. */
  readonly blocks: readonly Block[]
  readonly last: Last
}

export interface UnreadableToken {
  readonly problem: 'malformed' | 'too_large' | 'weak_key'
}

/**
 * The token's parts, or the first of these problems: `too_large` (over 16 KiB, over 16 blocks), `malformed` (its structure, a payload that
 * is not canonical, the last part missing), `weak_key` (a next key, or the holder's, that anyone can sign for). Never throws.
 */
export function readToken(text: string): Token | UnreadableToken {
  const frame = splitToken(text)
  if (typeof frame === 'string') return { problem: frame }
  return readFrame(text, frame) ?? { problem: 'malformed' }
}

function readFrame(text: string, frame: Frame): Token | UnreadableToken | undefined {
  const [first, ...added] = frame.blocks.map(readParts)
  const last = readLast(frame.last)
  const authority = first && readAuthority(first.payload)
  if (last === undefined || first === undefined || authority === undefined) return undefined
  const blocks: (Block | undefined)[] = [block(first, authority)]
  for (const parts of added) {
    const attenuation = parts && readAttenuation(parts.payload)
    blocks.push(attenuation && block(parts, attenuation))
  }
  const holder = authority.cnf === undefined ? [] : [fromBase64url(authority.cnf)]
  if (!isWhole(blocks) || !isWhole(holder)) return undefined
  if ([...blocks.map(({ nk }) => nk), ...holder].some(isWeakEncoding))
    return { problem: 'weak_key' }
  return { text, authority, blocks, last }
}

function isWhole<T extends object>(items: (T | undefined)[]): items is T[] {
  return !items.includes(undefined)
}

interface Parts {
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}

function readParts(frame: Frame['blocks'][number]): Parts | undefined {
  const payload = fromBase64url(frame.payload)
  const signature = fromBase64url(frame.signature)
  return payload && signature?.length === SIGNATURE_BYTES ? { payload, signature } : undefined
}

function block(
  { payload, signature }: Parts,
  { caveats, nk }: { readonly caveats: readonly Caveat[]; readonly nk: string },
): Block | undefined {
  const key = fromBase64url(nk)
  return key && { caveats, nk: key, payload, signature, handle: sha256Hex(signature) }
}

function readLast(text: string): Last | undefined {
  const bytes = fromBase64url(text)
  if (bytes?.length === KEY_BYTES) return { seed: bytes }
  return bytes?.length === SIGNATURE_BYTES ? { seal: bytes } : undefined
}
