/** What a configuration says about who may ask and how: TLS, authentication, limits, other origins. */
import { z } from 'zod'

export interface TlsConfig {
  readonly cert: string
  readonly key: string
  readonly clientCa?: string
  readonly requireClientCert?: boolean
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3'
}
interface PeerConfig {
  readonly kind: string
  readonly id: string
}
type TokenConfig = ({ readonly file: string } | { readonly sha256: string }) & {
  readonly peer: PeerConfig
  readonly realm?: string
}
export type AuthMethodConfig =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer'; readonly tokens: readonly TokenConfig[] }
  | {
      readonly kind: 'jwt'
      readonly issuer: string
      readonly audience: string | readonly string[]
      readonly jwks: { readonly file: string } | { readonly url: string }
      readonly algorithms?: readonly JwtAlgorithm[]
      readonly clockSkewSeconds?: number
      readonly typ?: string
      readonly peer?: { readonly kind?: string; readonly claim?: string }
      readonly realm?: string
      readonly realmClaim?: string
      readonly timeoutMs?: number
    }
  | { readonly kind: 'mtls'; readonly ids?: readonly string[]; readonly realm?: string }
export type AuthConfig = 'none' | AuthMethodConfig | readonly AuthMethodConfig[]
export interface RateConfig {
  readonly perSecond: number
  readonly burst?: number
}
export interface RateLimitConfig {
  readonly perPeer?: RateConfig
  readonly perSource?: RateConfig
  readonly places?: number
}
export interface CorsConfig {
  readonly origins: readonly string[]
}
/** The members of `http` that this file is about. */
export interface SecureConfig {
  readonly tls?: TlsConfig
  readonly auth?: AuthConfig
  readonly allowNonLoopback?: boolean
  readonly allowPlainHttp?: boolean
  readonly open?: readonly ('health' | 'log' | 'metadata' | 'metrics')[]
  readonly rateLimit?: RateLimitConfig
  readonly trustedProxies?: readonly string[]
  readonly cors?: CorsConfig
}

type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number]
const JWT_ALGORITHMS = [
  'ES256',
  'ES384',
  'ES512',
  'Ed25519',
  'EdDSA',
  'PS256',
  'PS384',
  'PS512',
  'RS256',
  'RS384',
  'RS512',
] as const

const path = z.string().min(1).max(4096)
const text = z.string().min(1).max(256)
export const realmName: z.ZodString = z.string().regex(/^[a-z][a-z0-9-]{0,31}$/)

export const tlsSchema: z.ZodType<TlsConfig> = z
  .strictObject({
    cert: path.describe('A PEM file: the certificate and the ones between it and its root'),
    key: path.describe('A PEM file: the private key'),
    clientCa: path.describe('A PEM file: roots of client certificates').exactOptional(),
    requireClientCert: z
      .boolean()
      .describe('End connections without a certificate of clientCa; default true')
      .exactOptional(),
    minVersion: z.enum(['TLSv1.2', 'TLSv1.3']).describe('Default TLSv1.2').exactOptional(),
  })
  .describe('HTTPS. The files are read again when they change')

const realm = realmName.describe('The one realm that it is good for').exactOptional()
const peer = z.strictObject({ kind: text, id: text })
const token: z.ZodType<TokenConfig> = z.union([
  z.strictObject({ file: path.describe('Holds the token'), peer, realm }),
  z.strictObject({
    sha256: z
      .string()
      .regex(/^[0-9a-f]{64}$/)
      .describe('Of the token, which must be random'),
    peer,
    realm,
  }),
])
const jwt = z.strictObject({
  kind: z.literal('jwt'),
  issuer: z.string().min(1).max(1024),
  audience: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(32)]),
  jwks: z.union([z.strictObject({ file: path }), z.strictObject({ url: z.url() })]),
  algorithms: z
    .array(z.enum(JWT_ALGORITHMS))
    .min(1)
    .describe('Default ES256, EdDSA, PS256, RS256')
    .exactOptional(),
  clockSkewSeconds: z.number().min(0).max(300).describe('Default 30').exactOptional(),
  typ: text.describe('What the header typ must be, such as at+jwt').exactOptional(),
  peer: z
    .strictObject({
      kind: text.describe('Default user').exactOptional(),
      claim: text.describe('The claim that is its id; default sub').exactOptional(),
    })
    .exactOptional(),
  realm,
  realmClaim: text.describe('The claim that names the realm').exactOptional(),
  timeoutMs: z.int().min(1).max(60_000).describe('To fetch keys; default 5000').exactOptional(),
})
const method: z.ZodType<AuthMethodConfig> = z.union([
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('bearer'), tokens: z.array(token).min(1).max(1000) }),
  jwt,
  z.strictObject({
    kind: z.literal('mtls'),
    ids: z
      .array(text)
      .max(1000)
      .describe('Peers that this is about; default all with a verified certificate')
      .exactOptional(),
    realm,
  }),
])
const rate = z.strictObject({
  perSecond: z.number().min(0.001).max(1_000_000),
  burst: z.number().min(1).max(1_000_000).describe('Default: of one second').exactOptional(),
})
export const rateLimitSchema: z.ZodType<RateLimitConfig> = z.strictObject({
  perPeer: rate.describe('For each authenticated peer').exactOptional(),
  perSource: rate.describe('For each address').exactOptional(),
  places: z
    .int()
    .min(1)
    .max(1_000_000)
    .describe('Callers told apart at a time; default 10000')
    .exactOptional(),
})

export const authSchema: z.ZodType<AuthConfig> = z
  .union([z.literal('none'), method, z.array(method).min(1).max(32)])
  .describe('Default none: every peer is anonymous')
export const openSchema: z.ZodType<NonNullable<SecureConfig['open']>> = z
  .array(z.enum(['health', 'log', 'metadata', 'metrics']))
  .describe('Readable without authentication; default health, log, metadata')
export const trustedProxiesSchema: z.ZodType<readonly string[]> = z
  .array(text)
  .max(1000)
  .describe('Addresses and networks whose X-Forwarded-For is believed')
export const corsSchema: z.ZodType<CorsConfig> = z.strictObject({
  origins: z.array(z.url()).max(100),
})

type At = (path: string) => string

/** With absolute paths. */
export function completeSecure({ auth, tls }: SecureConfig, at: At): SecureConfig {
  return {
    ...(tls === undefined ? {} : { tls: completeTls(tls, at) }),
    ...(auth === undefined || auth === 'none'
      ? {}
      : { auth: [auth].flat().map((m) => located(m, at)) }),
  }
}

function completeTls(tls: TlsConfig, at: At): TlsConfig {
  const { cert, clientCa, key } = tls
  const roots = clientCa === undefined ? {} : { clientCa: at(clientCa) }
  return { ...tls, cert: at(cert), key: at(key), ...roots }
}

function located(method: AuthMethodConfig, at: At): AuthMethodConfig {
  const inPlace = <Source extends object>(source: Source): Source =>
    'file' in source ? { ...source, file: at(String(source.file)) } : source
  if (method.kind === 'bearer') return { ...method, tokens: method.tokens.map(inPlace) }
  return method.kind === 'jwt' ? { ...method, jwks: inPlace(method.jwks) } : method
}
