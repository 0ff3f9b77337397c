/** Capability tokens, as anyone may send them. */
import { toBase64url } from '../../../core/crypto.ts'
import {
  type Caveat,
  MAX_BLOCKS,
  MAX_TOKEN_BYTES,
  readToken,
  type Token,
  verifyToken,
} from '../../../formats/cap1/index.ts'
import {
  canonicalBytes,
  chain,
  granted,
  linkOf,
  pairOf,
  pinned,
  sealed,
  tokenText,
} from '../../tokens.ts'
import type { Target } from '../fuzz.ts'
import { looseText, same } from './kit.ts'

const caveats: readonly Caveat[] = [
  { t: 'op', v: ['read', 'write'] },
  { t: '__proto__', v: { deep: [[1, null, true, 'é']] } },
]
const bound = chain(0, { caveats, cnf: pairOf('holder').publicKey })
/** And every ancestor that these can be turned back into with the words below. */
const minted = [
  tokenText(chain(0)),
  tokenText(bound),
  tokenText(sealed(bound)),
  tokenText(sealed(chain(2))),
  tokenText(chain(1)),
]
const issuer = [pinned('cell-A')]
const WORDS = [
  '.',
  'cap1.',
  'e30',
  '=',
  '-_',
  toBase64url(linkOf(0).seed),
  toBase64url(canonicalBytes({ caveats: [], nk: linkOf(1).publicKey })),
  ...minted.flatMap((text) => text.split('.')),
]

/** The token's text once more, from its parts. */
function writtenAgain({ blocks, last }: Token): string {
  return tokenText({ blocks, last: 'seed' in last ? last.seed : last.seal })
}

const token: Target = {
  name: 'cap1',
  property:
    'what is read is written again to the byte, within its limits; nothing verifies but what was minted; nothing is thrown',
  files: /formats\/cap1\/(?:frame|read|payload|verify)\.ts$|core\/base64\.ts$/,
  seeds: minted,
  tokens: WORDS,
  check(bytes) {
    const text = looseText(bytes)
    const read = readToken(text)
    if ('problem' in read) return false
    same(writtenAgain(read), text)
    same(read.text, text)
    if (text.length > MAX_TOKEN_BYTES || read.blocks.length > MAX_BLOCKS)
      throw new Error('over the limits')
    same(Buffer.from(canonicalBytes({ ...read.authority })), Buffer.from(read.blocks[0]!.payload))
    const valid = verifyToken(read, issuer) === 'valid'
    same(valid, minted.includes(text))
    return true
  },
}

const payload: Target = {
  name: 'cap1-payload',
  property:
    'duly signed bytes are read only where they are what a writer of those fields would have written, and verify then',
  files: /formats\/cap1\/(?:read|payload)\.ts$|core\/(?:canonical|json|schema)\.ts$/,
  seeds: minted.map((text) => Buffer.from(text.split('.')[1] as string, 'base64url')),
  tokens: [
    '"aud":',
    '"caveats":[',
    '{"t":"op","v":',
    '{"t":"op"}',
    '{"t":"","v":1}',
    '"exp":',
    '9007199254740993',
    '1e3',
    '-0',
    '"cnf":',
    '"nk":"',
    '"__proto__":',
    '\\u0061',
    '\ufeff',
    ' ',
    '}',
    ',',
  ],
  check(bytes) {
    const text = tokenText(granted(bytes))
    const read = readToken(text)
    if ('problem' in read) return false
    same(Buffer.from(canonicalBytes({ ...read.authority })), Buffer.from(bytes))
    const ours = read.authority.nk === linkOf(0).publicKey
    same(verifyToken(read, issuer), ours ? 'valid' : 'signature_invalid')
    return true
  },
}

export const CAP1: readonly Target[] = [token, payload]
