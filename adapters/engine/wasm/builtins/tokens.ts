/**
 * JSON Web Tokens with keys that the policy names: X.509 certificates, public keys and JWK sets as text, or a shared secret. Nothing is
 * fetched, and the time that a token is compared with is the decision's.
 *
 * @see RFC 7515, RFC 7519
 */
import {
  constants,
  createHmac,
  createPublicKey,
  type KeyObject,
  timingSafeEqual,
  verify,
  X509Certificate,
} from 'node:crypto'
import type { Json } from '../../../../core/json.ts'
import { type HostBuiltin, JsonText, type Operand, onTexts, Unsupported } from './operand.ts'

type Members = { readonly [name: string]: Json }
interface Token {
  readonly header: Members
  readonly headerText: string
  readonly payloadText: string
  readonly signature: Buffer
  readonly signed: string
}

const ALGORITHMS = ['HS', 'RS', 'PS', 'ES'].flatMap((kind) =>
  ['256', '384', '512'].map((size) => kind + size),
)

/** Undefined for what is no signed token. @throws Unsupported for a token within a token */
function read(text: string): Token | undefined {
  const parts = text.split('.')
  if (parts.length !== 3 || !parts.every((part) => /^[\w-]*={0,2}$/.test(part))) return undefined
  const [header = '', payload = '', signature = ''] = parts
  const headerText = Buffer.from(header, 'base64url').toString('utf8')
  const payloadText = Buffer.from(payload, 'base64url').toString('utf8')
  const members = object(headerText)
  if (members === undefined || typeof members.enc === 'string') return undefined
  if (typeof members.cty === 'string' && members.cty.toUpperCase() === 'JWT')
    throw new Unsupported('a token within a token')
  const bytes = Buffer.from(signature, 'base64url')
  return {
    header: members,
    headerText,
    payloadText,
    signature: bytes,
    signed: `${header}.${payload}`,
  }
}

function object(text: string): Members | undefined {
  try {
    const value = JSON.parse(text) as Json
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Members)
      : undefined
  } catch {
    return undefined
  }
}

/** Header and payload as they were written: no number loses a digit. */
function decode(text: string): JsonText | undefined {
  const token = read(text)
  if (token === undefined || object(token.payloadText) === undefined) return undefined
  const { headerText, payloadText, signature } = token
  return new JsonText(`[${headerText},${payloadText},"${signature.toString('hex')}"]`)
}

interface VerificationKey {
  readonly key: KeyObject
  readonly kid?: Json
  readonly alg?: Json
}

/** Undefined for what is no key. */
function readKeys(text: string): readonly VerificationKey[] | undefined {
  try {
    if (/^\s*-----BEGIN CERTIFICATE-----/.test(text))
      return [{ key: new X509Certificate(text).publicKey }]
    if (/^\s*-----BEGIN PUBLIC KEY-----/.test(text)) return [{ key: createPublicKey(text) }]
    const set = object(text)
    const keys = (set?.keys ?? [set ?? null]) as readonly Members[]
    return keys.map((jwk) => ({
      key: createPublicKey({ key: jwk, format: 'jwk' }),
      ...(jwk.kid === undefined ? {} : { kid: jwk.kid }),
      ...(jwk.alg === undefined ? {} : { alg: jwk.alg }),
    }))
  } catch {
    return undefined
  }
}

function signatureHolds({ signature, signed }: Token, alg: string, key: KeyObject): boolean {
  const data = Buffer.from(signed)
  const hash = `sha${alg.slice(-3)}`
  const type = key.asymmetricKeyType
  switch (alg.slice(0, 2)) {
    case 'RS':
      return type === 'rsa' && verify(hash, data, key, signature)
    case 'PS': {
      const padding = constants.RSA_PKCS1_PSS_PADDING
      const saltLength = constants.RSA_PSS_SALTLEN_AUTO
      return type === 'rsa' && verify(hash, data, { key, padding, saltLength }, signature)
    }
    case 'ES': {
      const curves = { 256: 'prime256v1', 384: 'secp384r1', 512: 'secp521r1' }
      const wanted = curves[alg.slice(-3) as '256']
      const fits = type === 'ec' && key.asymmetricKeyDetails?.namedCurve === wanted
      return fits && verify(hash, data, { key, dsaEncoding: 'ieee-p1363' }, signature)
    }
    default:
      return alg === 'EdDSA' && type === 'ed25519' && verify(null, data, key, signature)
  }
}

function macHolds({ signature, signed }: Token, alg: string, secret: string): boolean {
  const mac = createHmac(`sha${alg.slice(-3)}`, secret)
    .update(signed)
    .digest()
  return mac.length === signature.length && timingSafeEqual(mac, signature)
}

/** The key that the token names, where the set has it; else any that fits the algorithm. */
function anyHolds(token: Token, alg: string, keys: readonly VerificationKey[]): boolean {
  const { kid } = token.header
  const named = keys.find((one) => kid !== undefined && kid !== '' && one.kid === kid)
  if (named !== undefined) return signatureHolds(token, alg, named.key)
  return keys.some(
    (one) => (one.alg === undefined || one.alg === alg) && signatureHolds(token, alg, one.key),
  )
}

function verifier(alg: string): HostBuiltin {
  return onTexts((text = '', key = '') => {
    const token = read(text)
    if (token === undefined) return undefined
    if (alg.startsWith('HS')) return macHolds(token, alg, key)
    const keys = readKeys(key)
    return keys && anyHolds(token, alg, keys)
  })
}

const CONSTRAINTS = ['alg', 'aud', 'cert', 'iss', 'secret', 'time']
const UNVERIFIED: Json = [false, {}, {}]

/** `[true, header, payload]` when the signature and everything that is demanded hold. */
const decodeVerify: HostBuiltin = ([operand, constraints], { now }) => {
  const text = operand!.json()
  const wanted = demands(constraints!)
  if (typeof text !== 'string' || wanted === undefined) return undefined
  const token = read(text)
  if (token === undefined) return undefined
  const { alg, crit } = token.header
  if (typeof alg !== 'string') return undefined
  if (crit !== undefined || (wanted.alg !== undefined && wanted.alg !== alg)) return UNVERIFIED
  const holds = proved(token, alg, wanted)
  if (holds === undefined) return undefined
  const payload = object(token.payloadText)
  if (!holds) return UNVERIFIED
  if (payload === undefined) return undefined
  const seconds = typeof wanted.time === 'number' ? wanted.time / 1e9 : now
  if (seconds === undefined) throw new Unsupported('a clock')
  const fits = claimsFit(payload, wanted, seconds)
  if (fits === undefined) return undefined
  return fits ? new JsonText(`[true,${token.headerText},${token.payloadText}]`) : UNVERIFIED
}

function demands(operand: Operand): Members | undefined {
  const wanted = operand.json() as Members
  if (Object.keys(wanted).some((name) => !CONSTRAINTS.includes(name))) return undefined
  const keys = [wanted.cert, wanted.secret].filter((key) => key !== undefined)
  return keys.length === 1 && typeof keys[0] === 'string' ? wanted : undefined
}

function proved(token: Token, alg: string, { cert, secret }: Members): boolean | undefined {
  if (!ALGORITHMS.includes(alg) && alg !== 'EdDSA') return undefined
  if (secret !== undefined) return alg.startsWith('HS') && macHolds(token, alg, secret as string)
  const keys = readKeys(cert as string)
  if (keys === undefined) return undefined
  return !alg.startsWith('HS') && anyHolds(token, alg, keys)
}

/** Undefined where a claim is not of its type. */
function claimsFit(payload: Members, wanted: Members, seconds: number): boolean | undefined {
  const { aud, exp, iss, nbf } = payload
  if (wanted.iss !== undefined && wanted.iss !== '' && wanted.iss !== iss) return false
  const audiences: readonly unknown[] = aud === undefined ? [undefined] : [aud].flat()
  const isFor = wanted.aud === '' ? undefined : wanted.aud
  if (!audiences.includes(isFor)) return false
  if (exp !== undefined && typeof exp !== 'number') return undefined
  if (exp !== undefined && seconds >= exp) return false
  if (nbf !== undefined && typeof nbf !== 'number') return undefined
  return nbf === undefined || seconds >= nbf
}

export const TOKENS: readonly (readonly [string, HostBuiltin])[] = [
  ['io.jwt.decode', onTexts((text = '') => decode(text))],
  ['io.jwt.decode_verify', decodeVerify],
  ...[...ALGORITHMS, 'EdDSA'].map(
    (alg) => [`io.jwt.verify_${alg.toLowerCase()}`, verifier(alg)] as const,
  ),
]
