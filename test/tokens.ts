/** `cap1` tokens of any shape, right and wrong, made without the client. Keys follow from a name, so what is made is always the same. */
import { createPrivateKey, type KeyObject, sign } from 'node:crypto'
import { canonicalJson } from '../core/canonical.ts'
import {
  ed25519Key,
  ed25519PublicKey,
  sha256Text,
  toBase64url,
  type VerifyKey,
} from '../core/crypto.ts'
import type { Json } from '../core/json.ts'
import {
  type Authority,
  authorityMessage,
  blockMessage,
  type Caveat,
  joinToken,
  sealMessage,
} from '../formats/cap1/index.ts'

/** An Ed25519 key pair, the halves in base64url. */
export interface Pair {
  readonly publicKey: string
  readonly privateKey: string
  readonly seed: Uint8Array
  sign(message: Uint8Array): Uint8Array
}

const pairs = new Map<string, Pair>()

/** Always the same for a name. */
export function pairOf(name: string): Pair {
  const known = pairs.get(name)
  if (known !== undefined) return known
  const seed = sha256Text(`private key of ${name}`)
  const publicKey = toBase64url(ed25519PublicKey(seed))
  const privateKey = toBase64url(seed)
  const key: KeyObject = createPrivateKey({
    key: { kty: 'OKP', crv: 'Ed25519', d: privateKey, x: publicKey },
    format: 'jwk',
  })
  const signed = (message: Uint8Array): Uint8Array => Uint8Array.from(sign(null, message, key))
  const made = { publicKey, privateKey, seed, sign: signed }
  pairs.set(name, made)
  return made
}

/** As a verifier that pins it has it. */
export const pinned = (name: string): VerifyKey => ed25519Key(ed25519PublicKey(pairOf(name).seed))

/** The key that block `i` names in a {@link chain}. */
export const linkOf = (i: number): Pair => pairOf(`link ${i}`)
export const CELL = 'cell-A'

export interface MadeBlock {
  readonly payload: Uint8Array
  readonly signature: Uint8Array
}
/** A token's bytes. */
export interface Made {
  readonly blocks: readonly MadeBlock[]
  readonly last: Uint8Array
}

export const canonicalBytes = (value: Json): Uint8Array =>
  new TextEncoder().encode(canonicalJson(value))

/** The fields of a token of {@link CELL} for itself. */
export function authorityOf(changes: Partial<Authority> = {}): Authority {
  return {
    aud: CELL,
    caveats: [],
    exp: 1_800_000_300,
    gen: 1,
    iat: 1_800_000_000,
    iss: CELL,
    jti: 'token-1',
    lease: 'lease-1',
    nk: linkOf(0).publicKey,
    resource: 'gpu-0',
    tenant: 'tenant-1',
    ...changes,
  }
}

/** Signed by `issuer`, whatever the payload says. */
export function granted(payload: Uint8Array, issuer: Pair = pairOf(CELL)): Made {
  const signature = issuer.sign(authorityMessage(payload))
  return { blocks: [{ payload, signature }], last: linkOf(0).seed }
}

/** With a block more, whatever the payload says, signed by `by`. */
export function extended(made: Made, payload: Uint8Array, by: Pair, next: Pair): Made {
  const previous = made.blocks.at(-1)?.signature ?? new Uint8Array()
  const signature = by.sign(blockMessage(made.blocks.length, previous, payload))
  return { blocks: [...made.blocks, { payload, signature }], last: next.seed }
}

/** By `by`, or by the key that the last block of a {@link chain} names. */
export function sealed(made: Made, by: Pair = linkOf(made.blocks.length - 1)): Made {
  const signature = made.blocks.at(-1)?.signature ?? new Uint8Array()
  return { blocks: made.blocks, last: by.sign(sealMessage(made.blocks.length, signature)) }
}

/** What a holder adds: block `i` of a {@link chain}. */
export const attenuationOf = (i: number, caveats: readonly Caveat[]): Uint8Array =>
  canonicalBytes({ caveats, nk: linkOf(i).publicKey })

/** A token with `added` blocks after the authority block, not sealed. */
export function chain(added: number, changes: Partial<Authority> = {}): Made {
  let made = granted(canonicalBytes({ ...authorityOf(changes) }))
  for (let i = 1; i <= added; i++)
    made = extended(made, attenuationOf(i, [{ t: 'max_bytes', v: i }]), linkOf(i - 1), linkOf(i))
  return made
}

export function tokenText({ blocks, last }: Made): string {
  const parts = blocks.map(({ payload, signature }) => ({
    payload: toBase64url(payload),
    signature: toBase64url(signature),
  }))
  return joinToken({ blocks: parts, last: toBase64url(last) })
}
