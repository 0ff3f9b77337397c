/** The vectors of `cap1` tokens: every kind that verifies, and every way known to us in which one can be wrong. */
import { canonicalJson } from '../core/canonical.ts'
import { fromHex, sha256Hex, toBase64url, toHex } from '../core/crypto.ts'
import { type Attenuation, proofMessage } from '../formats/cap1/index.ts'
import {
  attenuationOf,
  authorityOf,
  CELL,
  canonicalBytes,
  chain,
  extended,
  granted,
  linkOf,
  type Made,
  type MadeBlock,
  pairOf,
  sealed,
  tokenText,
} from '../test/tokens.ts'

/** What reading and verifying one token must give. */
export interface TokenVector {
  readonly name: string
  readonly expect: 'malformed' | 'signature_invalid' | 'too_large' | 'valid' | 'weak_key'
  readonly token: string
  /** Of each block, where the token is valid. */
  readonly handles?: readonly string[]
}
type Named = readonly (readonly [name: string, token: Made | string])[]

/** Everything that test/vectors/cap1.json says. */
export function cap1Vectors(): object {
  return {
    issuer: { name: CELL, publicKey: pairOf(CELL).publicKey },
    tokens: [
      ...validTokens().map(([name, made]) => vector('valid', name, made)),
      ...tooLarge().map(([name, made]) => vector('too_large', name, made)),
      ...[...malformedText(), ...malformedPayloads(), ...malformedCaveats()].map(([name, made]) =>
        vector('malformed', name, made),
      ),
      ...weakKeys().map(([name, made]) => vector('weak_key', name, made)),
      ...[...tampered(), ...recombined(), ...forged()].map(([name, made]) =>
        vector('signature_invalid', name, made),
      ),
    ],
    proof: proof(),
  }
}

function vector(expect: TokenVector['expect'], name: string, made: Made | string): TokenVector {
  const token = typeof made === 'string' ? made : tokenText(made)
  if (expect !== 'valid' || typeof made === 'string') return { name, expect, token }
  const handles = made.blocks.map(({ signature }) => sha256Hex(signature))
  return { name, expect, token, handles }
}

const encoder = new TextEncoder()
const stranger = pairOf('stranger')
const good = canonicalJson({ ...authorityOf() })
const goodBlock = canonicalJson({ caveats: [{ t: 'op', v: ['read'] }], nk: linkOf(1).publicKey })
/** Duly signed, whatever it says. */
const signedText = (payload: string): Made => granted(encoder.encode(payload))
const signedBlock = (payload: string | Uint8Array): Made => {
  const bytes = typeof payload === 'string' ? encoder.encode(payload) : payload
  return extended(chain(0), bytes, linkOf(0), linkOf(1))
}
const signedCaveat = (caveat: string): Made =>
  signedText(good.replace('"caveats":[]', `"caveats":[${caveat}]`))

function validTokens(): readonly (readonly [string, Made])[] {
  const cnf = pairOf('holder').publicKey
  const odd = [
    { t: 'op', v: ['read'], z: 'another member is for the policy to refuse' },
    { t: '__proto__', v: {} },
  ]
  return [
    ['bare', chain(0)],
    ['sealed', sealed(chain(0))],
    ['one block added', chain(1)],
    ['three blocks added, sealed', sealed(chain(3))],
    ['sixteen blocks', chain(15)],
    ['bound to a holder', sealed(chain(1, { cnf }))],
    ['names beyond ASCII', chain(0, { tenant: 'größe-😀' })],
    ['caveats of other shapes', chain(0, { caveats: odd })],
    ...['{"t":"op"}', '{"t":"","v":1}', `{"t":"${'c'.repeat(65)}","v":1}`].map(
      (caveat) => [`the caveat ${caveat}`, signedCaveat(caveat)] as const,
    ),
    ['a block without caveats', signedBlock(attenuationOf(1, []))],
    ['the largest generation', chain(0, { gen: Number.MAX_SAFE_INTEGER })],
    ['twelve levels', signedCaveat(`{"t":"deep","v":${'['.repeat(9)}${']'.repeat(9)}}`)],
  ]
}

function tooLarge(): Named {
  return [
    ['a character over 16 KiB', tokenText(chain(0)).padEnd(16_385, 'A')],
    ['seventeen blocks', chain(16)],
    ['seventeen blocks, nothing in them', `cap1${'.'.repeat(35)}`],
  ]
}

function malformedText(): Named {
  const token = tokenText(chain(1))
  const parts = token.split('.')
  const changed = (i: number, change: (part: string) => string): string =>
    parts.map((part, at) => (at === i ? change(part) : part)).join('.')
  const unused = (part: string): string => part.slice(0, -1) + neighbour(part.at(-1) as string)
  return [
    ['nothing', ''],
    ['another version', token.replace('cap1', 'cap2')],
    ['upper case', token.replace('cap1', 'CAP1')],
    ['the version alone', 'cap1'],
    ['the last part missing', parts.slice(0, -1).join('.')],
    ['the last part empty', changed(5, () => '')],
    ['no block', `cap1.${parts[5]}`],
    ['a part more', `${token}.${parts[5]}`],
    ['a dot more', `${token}.`],
    ['a space at the end', `${token} `],
    ['a line feed at the end', `${token}\n`],
    ['a byte appended', `${token}A`],
    ['the last ten characters cut off', token.slice(0, -10)],
    ['padding', changed(2, (part) => `${part}==`)],
    ['standard base64', changed(1, (part) => `${part.slice(0, -2)}+/`)],
    ['unused bits in a payload', changed(3, unused)],
    ['unused bits in a signature', changed(2, unused)],
    ['unused bits in the last part', changed(5, unused)],
    ['a signature of 63 bytes', changed(2, () => toBase64url(new Uint8Array(63)))],
    ['a signature of 65 bytes', changed(4, () => toBase64url(new Uint8Array(65)))],
    ['a last part of 31 bytes', changed(5, () => toBase64url(new Uint8Array(31)))],
    ['a last part of 33 bytes', changed(5, () => toBase64url(new Uint8Array(33)))],
    ['a last part of 63 bytes', changed(5, () => toBase64url(new Uint8Array(63)))],
  ]
}

/** The next character of base64url: another last digit that a lenient decoder reads as the same bytes. */
function neighbour(character: string): string {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return digits[digits.indexOf(character) + 1] as string
}

function malformedPayloads(): Named {
  const put = (name: string, from: string | RegExp, to: string): Named[number] => [
    name,
    signedText(good.replace(from, to)),
  ]
  const expiry = (text: string): Named[number] =>
    put(`exp is ${text}`, /"exp":\d+/, `"exp":${text}`)
  const issuer = (name: string, text: string): Named[number] =>
    put(`a name ${name}`, `"iss":"${CELL}"`, `"iss":"${text}"`)
  const block = (name: string, from: string | RegExp, to: string): Named[number] => [
    name,
    signedBlock(goodBlock.replace(from, to)),
  ]
  return [
    put('a member more: alg', '{', '{"alg":"none",'),
    put('a member more: __proto__', '{', '{"__proto__":{},'),
    put('a member more: constructor', ',"exp"', ',"constructor":{},"exp"'),
    put('a member that looks alike', '"iss"', '"iѕs"'),
    put('a member missing', /"exp":\d+,/, ''),
    put('a member twice, alike', /("exp":\d+,)/, '$1$1'),
    put('a member twice, the first one larger', '"exp":', '"exp":1900000000,"exp":'),
    put('another order', /^\{("aud":"[^"]*"),("caveats":\[\])/, '{$2,$1'),
    put('white space', '":', '": '),
    put('spaces after it', /$/, '   '),
    put('a byte order mark', /^/, '\ufeff'),
    put('an escape', '"iss"', '"\\u0069ss"'),
    ...['"1800000300"', '1800000300.5', '1800000300.0', '18e8', '-1', '-0', 'null'].map(expiry),
    ...['9007199254740992', '99999999999999999999999', '1e400', 'true', '[]'].map(expiry),
    issuer('without a character', ''),
    issuer('of 257 characters', 'c'.repeat(257)),
    issuer('with a control character', 'cell\u0085A'),
    issuer('with half a surrogate pair', '\\ud800'),
    put('a name that is a number', `"iss":"${CELL}"`, '"iss":7'),
    put('a next key of 31 bytes', /"nk":"./, '"nk":"'),
    put('a next key of 33 bytes, as those of P-256 have', /"nk":"/, '"nk":"A'),
    put('a next key with unused bits', /(.)(","resource")/, '_$2'),
    put('a holder key that is null', ',"exp"', ',"cnf":null,"exp"'),
    put('a holder key with padding', ',"exp"', `,"cnf":"${linkOf(9).publicKey}=","exp"`),
    ['not an object', signedText('[]')],
    ['not JSON', signedText(good.slice(0, -1))],
    ['not UTF-8', granted(Uint8Array.of(...encoder.encode(good), 0xff))],
    ['an empty payload', signedText('')],
    block('an added block that sets an expiry', ',"nk"', ',"exp":1900000000,"nk"'),
    block('an added block without caveats', /"caveats":.*\],/, ''),
    block('an added block without a next key', /,"nk":"[^"]*"/, ''),
    block('an added block with a member twice', ',"nk"', ',"caveats":[],"nk"'),
    block('an added block with spaces after it', /$/, ' '),
    ['an added block that is an authority block', signedBlock(good)],
  ]
}

function malformedCaveats(): Named {
  const deep = `{"t":"deep","v":${'['.repeat(10)}${']'.repeat(10)}}`
  return [
    ['caveats that are an object', signedText(good.replace('"caveats":[]', '"caveats":{}'))],
    ...['null', '"op"', '[]', '{"v":1}', '{"t":7,"v":1}'].map((caveat): Named[number] => [
      `the caveat ${caveat}`,
      signedCaveat(caveat),
    ]),
    ['a caveat with a member twice', signedCaveat('{"t":"op","v":["read"],"v":["read","write"]}')],
    ['a caveat with a huge integer', signedCaveat('{"t":"max_bytes","v":9007199254740993}')],
    ['a caveat too deep', signedCaveat(deep)],
  ]
}

/** Little-endian, the sign of x clear: the y of the points of small order, and encodings of them and others that no writer gives. */
export const WEAK_ENCODINGS: Readonly<Record<string, string>> = {
  'the identity': `01${'00'.repeat(31)}`,
  'the point of order 2': `ec${'ff'.repeat(30)}7f`,
  'a point of order 4': '00'.repeat(32),
  'a point of order 8': '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
  'another point of order 8': 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  'y = p, which is 0': `ed${'ff'.repeat(30)}7f`,
  'y = p + 1, which is 1': `ee${'ff'.repeat(30)}7f`,
  'y = 2^255 - 1, which is 18': `ff${'ff'.repeat(30)}7f`,
}

function weakKeys(): Named {
  return Object.entries(WEAK_ENCODINGS).flatMap(([name, hex]): Named => {
    const bytes = fromHex(hex) as Uint8Array
    const nk = toBase64url(bytes)
    const negative = toBase64url(Uint8Array.of(...bytes.subarray(0, 31), bytes[31]! | 0x80))
    return [
      [`next key: ${name}`, chain(0, { nk })],
      [`next key: ${name}, the sign set`, chain(0, { nk: negative })],
      [`next key of an added block: ${name}`, signedBlock(canonicalBytes({ caveats: [], nk }))],
      [`holder key: ${name}`, chain(0, { cnf: nk })],
    ]
  })
}

/** With block `i` changed after it was signed. */
function changed(made: Made, i: number, change: Partial<MadeBlock>): Made {
  const blocks = made.blocks.map((block, at) => (at === i ? { ...block, ...change } : block))
  return { ...made, blocks }
}
const payloadAt = (made: Made, i: number): Uint8Array => made.blocks[i]!.payload
const signatureAt = (made: Made, i: number): Uint8Array => made.blocks[i]!.signature
const flipped = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, i) => (i === 0 ? byte ^ 1 : byte))

/** S + L in place of S: the same signature for a verifier that does not look. */
function plusL(signature: Uint8Array): Uint8Array {
  const L = 2n ** 252n + 27742317777372353535851937790883648493n
  const le = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes.toReversed())}`)
  const s = (le(signature.subarray(32)) + L).toString(16).padStart(64, '0')
  const upper = fromHex(s) as Uint8Array
  return Uint8Array.of(...signature.subarray(0, 32), ...upper.reverse())
}

function tampered(): Named {
  const made = chain(1)
  const shut = sealed(made)
  const later = canonicalBytes({ ...authorityOf({ exp: 1_900_000_000 }) })
  const wider = attenuationOf(1, [{ t: 'max_bytes', v: 9_999 }])
  const zero = new Uint8Array(64)
  return [
    ['a later expiry', changed(made, 0, { payload: later })],
    ['a wider caveat', changed(made, 1, { payload: wider })],
    [
      'a bit of the first signature',
      changed(made, 0, { signature: flipped(signatureAt(made, 0)) }),
    ],
    [
      'a bit of the second signature',
      changed(made, 1, { signature: flipped(signatureAt(made, 1)) }),
    ],
    ['a bit of the private key', { ...made, last: flipped(made.last) }],
    ['a bit of the seal', { ...shut, last: flipped(shut.last) }],
    ['a first signature of zeroes', changed(made, 0, { signature: zero })],
    ['a second signature of zeroes', changed(made, 1, { signature: zero })],
    ['a seal of zeroes', { ...shut, last: zero }],
    ['S + L in the first signature', changed(shut, 0, { signature: plusL(signatureAt(made, 0)) })],
    ['S + L in the second signature', changed(shut, 1, { signature: plusL(signatureAt(made, 1)) })],
    ['S + L in the seal', { ...shut, last: plusL(shut.last) }],
  ]
}

function recombined(): Named {
  const made = chain(2)
  const [first, second, third] = made.blocks as [MadeBlock, MadeBlock, MadeBlock]
  const other = extended(chain(0, { jti: 'token-2' }), second.payload, linkOf(0), linkOf(1))
  const sibling = extended(chain(0), attenuationOf(1, []), linkOf(0), linkOf(1))
  const { last } = made
  const shut = sealed(made)
  return [
    ['two blocks exchanged', { blocks: [first, third, second], last }],
    ['a block in the middle removed', { blocks: [first, third], last }],
    ['the last block removed, its key kept', { blocks: [first, second], last }],
    ['the last block removed, the seal kept', { blocks: [first, second], last: shut.last }],
    ['all added blocks removed, the seal kept', { blocks: [first], last: shut.last }],
    ['a block twice', { blocks: [first, second, second], last: linkOf(1).seed }],
    ['a block of another token', { blocks: [first, other.blocks[1]!], last: linkOf(1).seed }],
    ['a block of a sibling', { blocks: [first, sibling.blocks[1]!, third], last }],
    ['the authority block of another token', { blocks: [other.blocks[0]!, second, third], last }],
    ['the seal of another token', { blocks: other.blocks, last: shut.last }],
    ['the key of an earlier block', { blocks: made.blocks, last: linkOf(0).seed }],
    ['an added block first', { blocks: [{ ...first, signature: second.signature }], last }],
  ]
}

function forged(): Named {
  const made = chain(1)
  const signature = signatureAt(made, 1)
  const shut = sealed(made)
  const replaced = canonicalBytes({ ...authorityOf({ nk: stranger.publicKey }) })
  const attackers = changed(chain(0), 0, { payload: replaced })
  const added: Attenuation = { caveats: [], nk: stranger.publicKey }
  const block = canonicalBytes({ ...added })
  const noPoint = Uint8Array.of(2, ...new Uint8Array(31))
  const bare = (payload: Uint8Array): Made => ({
    blocks: [{ payload, signature: pairOf(CELL).sign(payload) }],
    last: linkOf(0).seed,
  })
  const moved = extended({ ...made, blocks: [] }, block, linkOf(0), stranger)
  return [
    ['signed by another cell', granted(payloadAt(made, 0), pairOf('cell-B'))],
    ['signed by the next key', granted(payloadAt(made, 0), linkOf(0))],
    ['the next key replaced', { ...attackers, last: stranger.seed }],
    ['the next key replaced, a block added', extended(attackers, block, stranger, stranger)],
    ['a block signed by a stranger', extended(chain(0), block, stranger, stranger)],
    ['a block signed by the issuer', extended(chain(0), block, pairOf(CELL), stranger)],
    ['a block added after the seal', extended(shut, block, stranger, stranger)],
    [
      'a block whose signature is the seal',
      {
        blocks: [...made.blocks, { payload: block, signature: shut.last }],
        last: stranger.seed,
      },
    ],
    ['a seal by a stranger', sealed(made, stranger)],
    ['a seal by the issuer', sealed(made, pairOf(CELL))],
    ['a seal that is the last signature', { ...made, last: signature }],
    ['the private key of a stranger', { ...made, last: stranger.seed }],
    ['a payload signed without its tag', bare(payloadAt(made, 0))],
    [
      'a block signed for another place',
      {
        blocks: [made.blocks[0]!, moved.blocks[0]!],
        last: stranger.seed,
      },
    ],
    ['a next key that encodes no point', sealed(chain(0, { nk: toBase64url(noPoint) }))],
  ]
}

function proof(): object {
  const holder = pairOf('holder')
  const token = tokenText(sealed(chain(1, { cnf: holder.publicKey })))
  const request = { bytes: 4096, op: 'read', resource: 'gpu-0' }
  const said = { audience: CELL, nonce: 'nonce-1', time: 1_800_000_010, request }
  const message = proofMessage({ token, ...said })
  const signature = toBase64url(holder.sign(message))
  return { token, ...said, key: holder.publicKey, message: toHex(message), signature }
}
