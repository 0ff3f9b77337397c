/**
 * What the holder of a `cap1` token does without asking anyone: make keys, assemble what an issuer granted, narrow it, seal it, and prove
 * who presents it. WebCrypto and nothing else, in a browser and in Node. A token that is not sealed contains a private key, and so does
 * every string here that is named one: JavaScript cannot wipe them.
 */
import { fromBase64url, toBase64url } from '../../core/base64.ts'
import { canonicalJson } from '../../core/canonical.ts'
import { KernelError } from '../../core/error.ts'
import type { Json } from '../../core/json.ts'
import {
  blockMessage,
  type Frame,
  joinToken,
  KEY_BYTES,
  MAX_BLOCKS,
  MAX_TOKEN_BYTES,
  proofBytes,
  SIGNATURE_BYTES,
  sealMessage,
  splitToken,
} from './frame.ts'
import {
  type Attenuation,
  type Authority,
  areCaveats,
  type Caveat,
  readAttenuation,
  readAuthority,
} from './payload.ts'
import { newKey, sha256, sha256Hex, sign, type TokenKey } from './webcrypto.ts'

/**
 * - `malformed`: not a `cap1` token, or not a caveat: nothing was made.
 * - `sealed`: a sealed token takes no more blocks and no second seal; ask who sealed it for the token before.
 * - `too_large`: no verifier would take it, over 16 KiB or 16 blocks: seal what there is.
 * - `wrong_key`: the grant names another next key than this one.
 */
export type TokenErrorCode = 'malformed' | 'sealed' | 'too_large' | 'wrong_key'
export class TokenError extends KernelError<TokenErrorCode> {}

export type { Authority, Caveat }
export { newKey, type TokenKey }

/** What an issuer answers: both in base64url. */
export interface Grant {
  readonly payload: string
  readonly signature: string
}

const encoder = new TextEncoder()

/**
 * The token of a grant: whoever has it can use and narrow it.
 * @throws TokenError `wrong_key`: the grant was made for another key; `malformed`: the grant is none
 */
export function assemble(grant: Grant, key: TokenKey): string {
  // A lease that was refused has no output; in JavaScript nothing else says so.
  if (typeof grant?.payload !== 'string' || typeof grant.signature !== 'string')
    throw malformed('this is no grant: was the lease refused?')
  const { payload, signature } = grant
  const token = joinToken({ blocks: [{ payload, signature }], last: key.privateKey })
  const { authority, sealed } = open(token)
  if (sealed) throw malformed('the private key has not 32 bytes')
  if (authority.nk !== key.publicKey)
    throw new TokenError('token', 'wrong_key', 'it is granted to another key than this')
  return token
}

/**
 * The token with a block more, which holds these caveats and a key of its own. It allows what `token` does where every caveat holds; the
 * old token stays as good as it was.
 * @throws TokenError `sealed`, `too_large`, `malformed`; JsonError for a value that is not JSON
 */
export async function attenuate(token: string, caveats: readonly Caveat[]): Promise<string> {
  const { frame, signature } = openUnsealed(token)
  const { blocks, last } = frame
  const key = await newKey()
  const payload = encoder.encode(canonicalJson({ caveats, nk: key.publicKey }))
  if (readAttenuation(payload) === undefined || !areCaveats(caveats))
    throw malformed('a caveat is { t: name, v: value }')
  const signed = await sign(last, blockMessage(blocks.length, signature, payload))
  const block = { payload: toBase64url(payload), signature: signed }
  return joined({ blocks: [...blocks, block], last: key.privateKey })
}

/**
 * The token without its private key: it can be presented, and nobody can add a block. Seal what you present, so that no private key
 * reaches who checks it.
 * @throws TokenError `sealed`, `too_large`, `malformed`
 */
export async function seal(token: string): Promise<string> {
  const { frame, signature } = openUnsealed(token)
  const { blocks, last } = frame
  return joined({ blocks, last: await sign(last, sealMessage(blocks.length, signature)) })
}

/** The key that a token's `cnf` names. A `CryptoKey` need not be extractable. */
export interface HolderKey {
  readonly publicKey: string
  readonly privateKey: CryptoKey | string
}
export interface Presented {
  /** The cell that it is presented to. */
  readonly audience: string
  /** One that was never used before: `crypto.randomUUID()`. */
  readonly nonce: string
  /** Unix seconds. */
  readonly time: number
  /** The operation, as it is sent. */
  readonly request: Json
}
/** To be sent beside the token. */
export interface Proof {
  readonly key: string
  readonly nonce: string
  readonly signature: string
  readonly time: number
}

/** Proves that who presents this text of the token, now and for this operation, has the holder's key. */
export async function prove(token: string, holder: HolderKey, about: Presented): Promise<Proof> {
  const { audience, nonce, request, time } = about
  const said = canonicalJson({ audience, nonce, request, time })
  const message = proofBytes(
    await sha256(encoder.encode(token)),
    await sha256(encoder.encode(said)),
  )
  const signature = await sign(holder.privateKey, message)
  return { key: holder.publicKey, nonce, signature, time }
}

export interface UnverifiedToken {
  readonly authority: Authority
  /** Of each block, the authority block first. */
  readonly caveats: readonly (readonly Caveat[])[]
  /** Of each block: what to have revoked to kill it and all that was made of it. */
  readonly handles: readonly string[]
  readonly sealed: boolean
}

/** What a token says of itself. Nothing of it is verified: for a holder to look at, not to decide by. @throws TokenError `malformed` */
export async function inspectUnverified(token: string): Promise<UnverifiedToken> {
  const { added, authority, frame, sealed } = open(token)
  const handles = frame.blocks.map(({ signature }) => sha256Hex(decode(signature)))
  const caveats = [authority, ...added].map((block) => block.caveats)
  return { authority, caveats, handles: await Promise.all(handles), sealed }
}

interface Opened {
  readonly frame: Frame
  readonly authority: Authority
  readonly added: readonly Attenuation[]
  /** Of the last block. */
  readonly signature: Uint8Array
  readonly sealed: boolean
}

/** Reads what it can without a key. @throws TokenError `malformed`, `too_large` */
function open(token: string): Opened {
  const frame = splitToken(token)
  if (frame === 'too_large') throw tooLarge()
  if (frame === 'malformed') throw malformed('not a cap1 token')
  const [first, ...rest] = frame.blocks.map(({ payload }) => decode(payload))
  const authority = readAuthority(first as Uint8Array)
  if (authority === undefined) throw malformed('its first block is not an authority block')
  const added = rest.map((payload) => {
    const attenuation = readAttenuation(payload)
    if (attenuation === undefined) throw malformed('a block of it holds no caveats')
    return attenuation
  })
  const signature = decode(frame.blocks.at(-1)?.signature ?? '')
  const { length } = decode(frame.last)
  if (length !== KEY_BYTES && length !== SIGNATURE_BYTES) throw malformed('its last part is cut')
  return { frame, authority, added, signature, sealed: length === SIGNATURE_BYTES }
}

/** @throws TokenError `sealed` */
function openUnsealed(token: string): Opened {
  const opened = open(token)
  if (opened.sealed)
    throw new TokenError('token', 'sealed', 'a sealed token takes no more blocks and no seal')
  return opened
}

/** What verifiers would refuse for its size is never handed out. */
function joined(frame: Frame): string {
  const token = joinToken(frame)
  if (frame.blocks.length > MAX_BLOCKS || token.length > MAX_TOKEN_BYTES) throw tooLarge()
  return token
}

function decode(text: string): Uint8Array<ArrayBuffer> {
  const bytes = fromBase64url(text)
  if (bytes === undefined) throw malformed('a part of it is not base64url')
  return bytes
}

function malformed(what: string): TokenError {
  return new TokenError('token', 'malformed', what)
}
function tooLarge(): TokenError {
  const limit = `${MAX_TOKEN_BYTES} bytes and ${MAX_BLOCKS} blocks`
  return new TokenError('token', 'too_large', `a token has at most ${limit}`)
}
