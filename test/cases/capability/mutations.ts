/** What may have been done to a token on its way, each by the name that files of scenarios use. */
import { canonicalJson } from '../../../core/canonical.ts'
import { toBase64url } from '../../../core/crypto.ts'
import type { Json } from '../../../core/json.ts'
import { readToken } from '../../../formats/cap1/index.ts'
import {
  canonicalBytes,
  extended,
  granted,
  linkOf,
  type Made,
  type MadeBlock,
  type Pair,
  pairOf,
  tokenText,
} from '../../tokens.ts'

/** A token as its issuer and its holder made it, and what they made it of. */
export interface Original {
  readonly authority: { readonly [member: string]: Json }
  /** The same holder's attenuations over another authority block. */
  build(authority: Uint8Array, options?: { readonly issuer?: Pair }): Made
  readonly made: Made
}
/** The token's text. */
type Mutation = (original: Original) => string

/** The order of the group of edwards25519's base point, little-endian (RFC 8032, section 5.1). */
const L = Uint8Array.from(
  Buffer.from('edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010', 'hex'),
)
const IDENTITY = toBase64url(new Uint8Array(32).with(0, 1))

const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text)
const withAuthority = (
  { authority, build }: Original,
  changes: { readonly [member: string]: Json },
): Made => build(canonicalBytes({ ...authority, ...changes }))
const changed = (made: Made, at: number, change: (block: MadeBlock) => MadeBlock): Made => ({
  ...made,
  blocks: made.blocks.map((block, i) => (i === at ? change(block) : block)),
})
const withBlocks = ({ last }: Made, blocks: readonly (MadeBlock | undefined)[]): string =>
  tokenText({ blocks: blocks.filter((block) => block !== undefined), last })

const flipSignature =
  (at: number): Mutation =>
  ({ made }) =>
    tokenText(
      changed(made, at, ({ payload, signature }) => ({
        payload,
        signature: signature.with(0, (signature[0] as number) ^ 1),
      })),
    )

/** In the first byte in which that leaves a payload that can be read: so that it is the signature that tells. */
const flipPayload =
  (at: number): Mutation =>
  ({ made }) => {
    const { payload } = made.blocks[at] as MadeBlock
    for (const [place, byte] of payload.entries()) {
      const text = tokenText(
        changed(made, at, (block) => ({ ...block, payload: payload.with(place, byte ^ 1) })),
      )
      if (!('problem' in readToken(text))) return text
    }
    throw new RangeError('no bit can be flipped')
  }

function plusOrder(signature: Uint8Array): Uint8Array {
  const sum = Uint8Array.from(signature)
  let carry = 0
  for (const [i, digit] of L.entries()) {
    const value = (signature[32 + i] as number) + digit + carry
    sum[32 + i] = value & 0xff
    carry = value >> 8
  }
  return sum
}

/** Blocks that say nothing, as many as `count`. */
function empty(made: Made, count: number): Made {
  let longer = made
  for (let i = 0; i < count; i++) {
    const next = pairOf(`empty link ${i}`)
    const by = i === 0 ? linkOf(made.blocks.length - 1) : pairOf(`empty link ${i - 1}`)
    longer = extended(longer, canonicalBytes({ caveats: [], nk: next.publicKey }), by, next)
  }
  return longer
}

/** Block 1 of a token that the same cell issued to somebody else. */
function graft({ authority, made }: Original): string {
  const other = granted(
    canonicalBytes({ ...authority, jti: 'another' }),
    pairOf(String(authority.iss)),
  )
  const [, first] = extended(
    other,
    canonicalBytes({ caveats: [], nk: linkOf(1).publicKey }),
    linkOf(0),
    linkOf(1),
  ).blocks
  return withBlocks(made, [made.blocks[0], first, ...made.blocks.slice(2)])
}

export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  '33 attenuation blocks': ({ made }) => tokenText(empty(made, 33)),
  'algorithm field none': (original) => tokenText(withAuthority(original, { alg: 'none' })),
  'append one byte': ({ made }) => `${tokenText(made)}A`,
  'cut the last 10 bytes': ({ made }) => tokenText(made).slice(0, -10),
  'exchange blocks 1 and 2': ({ made }) => {
    const [authority, first, second, ...rest] = made.blocks
    return withBlocks(made, [authority, second, first, ...rest])
  },
  'flip bit 0 of authority payload': flipPayload(0),
  'flip bit 0 of authority signature': flipSignature(0),
  'flip bit 0 of block 1 payload': flipPayload(1),
  'flip bit 0 of block 1 signature': flipSignature(1),
  'keep only the authority block, without its private continuation key': ({ made }) =>
    tokenText({ blocks: made.blocks.slice(0, 1), last: new Uint8Array() }).slice(0, -1),
  'next key is the identity point': (original) =>
    tokenText(withAuthority(original, { nk: IDENTITY })),
  'pad the token to 64 KiB': ({ made }) => tokenText(made).padEnd(65_536, 'A'),
  'payload followed by spaces': ({ authority, build }) =>
    tokenText(build(bytesOf(`${canonicalJson(authority)}  `))),
  'payload with two exp members': ({ authority, build }) =>
    tokenText(build(bytesOf(canonicalJson(authority).replace('"exp":', '"exp":1,"exp":')))),
  'put an attacker key as next key in the authority block': ({ authority, made }) => {
    const attacker = pairOf('attacker')
    const payload = canonicalBytes({ ...authority, nk: attacker.publicKey })
    const stolen = changed(made, 0, ({ signature }) => ({ payload, signature }))
    return tokenText({ blocks: stolen.blocks.slice(0, 1), last: attacker.seed })
  },
  're-sign the authority block with cell-B key, keep issuer cell-A': ({ authority, build }) =>
    tokenText(build(canonicalBytes({ ...authority, iss: 'cell-A' }), { issuer: pairOf('cell-B') })),
  'remove block 1 of 2': ({ made }) => withBlocks(made, [made.blocks[0], ...made.blocks.slice(2)]),
  'remove the last attenuation block, keep its proof': ({ made }) =>
    withBlocks(made, made.blocks.slice(0, -1)),
  'signature with S+L': ({ made }) =>
    tokenText(
      changed(made, 0, ({ payload, signature }) => ({ payload, signature: plusOrder(signature) })),
    ),
  'take block 1 of another token of the same cell': graft,
}

/** Added blocks that there have to be, for there to be something to do. */
export const TAKES: Readonly<Record<string, number>> = {
  'exchange blocks 1 and 2': 2,
  'flip bit 0 of block 1 payload': 1,
  'flip bit 0 of block 1 signature': 1,
  'remove block 1 of 2': 2,
  'remove the last attenuation block, keep its proof': 1,
}
