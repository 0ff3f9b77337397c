/** Tokens checked: their signature alone, or with everything that a policy demands of them. */
import { compareNumbers, isNumber } from '../../value/number.ts'
import { type AnyObject, entriesOf, get, isArray, isObject, type Value } from '../../value/value.ts'
import { type Builtin, type Context, fail } from '../builtin.ts'
import { nodeCrypto } from '../crypto/node.ts'
import { wrongType } from '../operands.ts'
import { bytesOf, onTexts, textOf } from '../texts.ts'
import { ALGORITHMS, type Key, verificationKeys } from './keys.ts'
import { macHolds, type Signed, signatureHolds } from './signature.ts'
import {
  decodeHeader,
  decodePart,
  type Header,
  objectIn,
  readHeader,
  split,
  type Token,
} from './token.ts'

function signedBy(token: Token, signature: Uint8Array): Signed {
  return { text: `${token.header}.${token.payload}`, signature }
}

export function verifyMac(alg: string): Builtin {
  return onTexts((context, text = '', secret = '') => {
    const token = split(context, text)
    const signature = token && decodePart(context, token.signature)
    if (token === undefined || signature === undefined) return undefined
    return macHolds(signedBy(token, signature), alg, bytesOf(secret))
  })
}

export function verifySignature(alg: string): Builtin {
  return (context, text: Value, certificate: Value) => {
    if (typeof text !== 'string') return wrongType(context, 1, text, 'string')
    const token = split(context, text)
    if (token === undefined) return undefined
    if (typeof certificate !== 'string') return wrongType(context, 2, certificate, 'string')
    const keys = verificationKeys(context, certificate)
    const signature = keys && decodePart(context, token.signature)
    const members = signature && decodeHeader(context, token)
    const header = members && readHeader(context, members)
    if (keys === undefined || signature === undefined || header === undefined) return undefined
    // The algorithm is the built-in's: what the header says only chooses a key. A private key is none to check with.
    return anyHolds(keys, header, (key) =>
      publicHolds(context, signedBy(token, signature), alg, key),
    )
  }
}

/** The key that the token names, where the set has it; else any whose algorithm is the token's or not said. */
function anyHolds(
  keys: readonly Key[],
  { kid, alg }: Header,
  holds: (key: Key['key']) => boolean,
): boolean {
  const named = kid === '' ? undefined : keys.find((one) => one.kid === kid)
  if (named !== undefined) return holds(named.key)
  return keys.some((one) => (one.alg === '' || one.alg === alg) && holds(one.key))
}

function publicHolds(context: Context, signed: Signed, alg: string, key: Key['key']): boolean {
  const crypto = nodeCrypto(context)
  if (crypto === undefined || key instanceof Uint8Array || key.type !== 'public') return false
  return signatureHolds(crypto, signed, alg, key)
}

/** By the algorithm that the token's header names. */
function holdsAs(context: Context, signed: Signed, alg: string, key: Key['key']): boolean {
  if (!ALGORITHMS.includes(alg)) return false
  if (alg.startsWith('HS'))
    return key instanceof Uint8Array && key.length > 0 && macHolds(signed, alg, key)
  const crypto = nodeCrypto(context)
  if (crypto === undefined || key instanceof Uint8Array) return false
  return signatureHolds(crypto, signed, alg, key)
}

interface Demands {
  readonly alg: string
  readonly aud: string
  readonly iss: string
  readonly secret: string
  readonly keys: readonly Key[] | undefined
  /** Unix nanoseconds. */
  readonly time: number
}

function demandsOf(context: Context, constraints: AnyObject): Demands | undefined {
  const texts: Record<'alg' | 'aud' | 'iss' | 'secret', string> = {
    alg: '',
    aud: '',
    iss: '',
    secret: '',
  }
  let keys: readonly Key[] | undefined
  let time: number | undefined
  for (const [name, value] of entriesOf(constraints)) {
    if (name === 'time') {
      time = isNumber(value) ? Number(String(value)) : Number.NaN
      if (!(time >= 0 && Number.isFinite(time))) return fail(context, 'time is no point in time')
    } else if (typeof value !== 'string') {
      return fail(context, 'a constraint is no string')
    } else if (name === 'cert') {
      keys = verificationKeys(context, value)
      if (keys === undefined) return undefined
    } else if (typeof name === 'string' && Object.hasOwn(texts, name)) {
      texts[name as 'alg'] = value
    } else return fail(context, 'an unknown constraint')
  }
  if ((keys === undefined) === (texts.secret === ''))
    return fail(context, 'a token is checked with either cert or secret')
  if (time === undefined && context.now === undefined) return fail(context, 'no time is given')
  return { ...texts, keys, time: time ?? Number(context.now) }
}

function proved(context: Context, signed: Signed, header: Header, demands: Demands): boolean {
  const { keys, secret } = demands
  if (keys === undefined) return holdsAs(context, signed, header.alg, bytesOf(secret))
  return anyHolds(keys, header, (key) => holdsAs(context, signed, header.alg, key))
}

interface Proved {
  readonly header: AnyObject
  readonly payload: string
}

/** Through tokens within tokens, each of which must hold. False where one does not, undefined where one cannot be read. */
function unwrap(context: Context, text: string, demands: Demands): Proved | false | undefined {
  for (let inner = text; ; ) {
    const token = split(context, inner)
    const members = token && decodeHeader(context, token)
    const header = members && readHeader(context, members)
    if (token === undefined || members === undefined || header === undefined) return undefined
    if (!header.valid || (demands.alg !== '' && demands.alg !== header.alg)) return false
    const signature = decodePart(context, token.signature)
    if (signature === undefined) return undefined
    if (!proved(context, signedBy(token, signature), header, demands)) return false
    const payload = decodePart(context, token.payload)
    if (payload === undefined) return undefined
    if (header.cty.toLowerCase() !== 'jwt') return { header: members, payload: textOf(payload) }
    inner = textOf(payload)
  }
}

/** `[true, header, payload]` when the signature and everything that is demanded hold. */
export const decodeVerify: Builtin = (context, text: Value, constraints: Value) => {
  if (!isObject(constraints)) return wrongType(context, 2, constraints, 'object')
  const demands = demandsOf(context, constraints)
  if (demands === undefined) return undefined
  if (typeof text !== 'string') return wrongType(context, 1, text, 'string')
  const found = unwrap(context, text, demands)
  if (found === undefined) return undefined
  const unverified: Value = [false, {}, {}]
  if (found === false) return context.failure === undefined ? unverified : undefined
  const payload = objectIn(context, found.payload)
  if (payload === undefined) return undefined
  const fits = claimsFit(context, payload, demands)
  if (fits === undefined) return undefined
  return fits ? [true, found.header, payload] : unverified
}

function claimsFit(context: Context, payload: AnyObject, demands: Demands): boolean | undefined {
  const iss = get(payload, 'iss')
  if (demands.iss !== '') {
    if (iss !== undefined && typeof iss !== 'string') return fail(context, 'iss is no string')
    if (iss !== demands.iss) return false
  }
  if (!audienceFits(get(payload, 'aud'), demands.aud)) return false
  const seconds = demands.time / 1e9
  const exp = get(payload, 'exp')
  if (exp !== undefined && !isNumber(exp)) return fail(context, 'exp is no number')
  if (exp !== undefined && compareNumbers(seconds, exp) >= 0) return false
  const nbf = get(payload, 'nbf')
  if (nbf !== undefined && !isNumber(nbf)) return fail(context, 'nbf is no number')
  return nbf === undefined || compareNumbers(seconds, nbf) >= 0
}

function audienceFits(aud: Value | undefined, demanded: string): boolean {
  if (aud === undefined) return demanded === ''
  return isArray(aud) ? aud.includes(demanded) : aud === demanded
}
