/** How callers can be authenticated. Nothing here opens a file; `auth.ts` does. */
import { TransportError } from '../../../core/error.ts'
import type { Peer } from '../../../core/request.ts'

/** Everybody who presents nothing is `anonymous`. */
export interface NoneMethod {
  readonly kind: 'none'
}
/** `Authorization: Bearer` with a secret that both sides know (RFC 6750). */
export interface BearerMethod {
  readonly kind: 'bearer'
  /** At most 1,000. */
  readonly tokens: readonly StaticToken[]
}
export type StaticToken = TokenSource & {
  readonly peer: Peer
  readonly realm?: string
}
/**
 * `file`: its text, of at least 20 visible characters; read again when it changes. `sha256`: of the token, 64 hex digits; a token that
 * can be guessed can be found from it.
 */
export type TokenSource = { readonly file: string } | { readonly sha256: string }

/** `Authorization: Bearer` with a token that an issuer signed (RFC 7519, RFC 9068). */
export interface JwtMethod {
  readonly kind: 'jwt'
  /** Exactly the claim `iss`. */
  readonly issuer: string
  /** One of them must be in the claim `aud`. */
  readonly audience: string | readonly string[]
  /** The issuer's keys (RFC 7517): a file, read again when it changes, or an https URL. */
  readonly jwks: { readonly file: string } | { readonly url: string }
  /** Default: ES256, EdDSA, PS256 and RS256. */
  readonly algorithms?: readonly JwtAlgorithm[]
  /** For `exp` and `nbf`. Default 30; at most 300. */
  readonly clockSkewSeconds?: number
  /** What the header `typ` must be, such as `at+jwt`. Default: anything. */
  readonly typ?: string
  /** Who the peer is: `kind` (default `user`), and the claim that is its id (default `sub`). */
  readonly peer?: { readonly kind?: string; readonly claim?: string }
  /** Of all tokens of this issuer. */
  readonly realm?: string
  /** The claim that names the realm; a token without it is refused. Not together with {@link realm}. */
  readonly realmClaim?: string
  /** Milliseconds that fetching the keys may take. Default 5,000. */
  readonly timeoutMs?: number
}
/** A certificate that one of the server's client authorities stands behind; see `peerOf` in `auth-certificate.ts`. */
export interface MtlsMethod {
  readonly kind: 'mtls'
  /** Whom this is about, by the ids that certificates come to. Default: every verified certificate. */
  readonly ids?: readonly string[]
  readonly realm?: string
}
/** Whom the platform under the app authenticated, such as AWS by IAM in front of a function: nothing that a caller presents here. */
export interface PlatformMethod {
  readonly kind: 'platform'
}
export type AuthMethod = BearerMethod | JwtMethod | MtlsMethod | NoneMethod | PlatformMethod
export type AuthOption = 'none' | AuthMethod | readonly AuthMethod[]

export type JwtAlgorithm = (typeof JWT_ALGORITHMS)[number]
/** Asymmetric ones only: whoever can verify a token must not be able to make one. */
export const JWT_ALGORITHMS = [
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

/** Kinds of peers that no caller over HTTP can be: what the transport and the process itself give out. */
const RESERVED: ReadonlySet<string> = new Set(['anonymous', 'embedded', 'kernel'])
/** And those that an issuer's token can neither be. Who holds the data folder may still name one token's peer so. */
const RESERVED_FOR_ISSUERS: ReadonlySet<string> = new Set([
  ...RESERVED,
  'aws-iam',
  'operator',
  'spiffe',
  'x509',
])
const TEXT = /^[\x21-\x7e]{1,256}$/

/** As a list. @throws TransportError `invalid_options` */
export function readMethods(option: AuthOption): readonly AuthMethod[] {
  const methods = typeof option === 'string' ? [{ kind: option }] : [option].flat()
  if (methods.length === 0) throw invalid('name at least one method; `none` lets everybody in')
  for (const method of methods) check(method)
  const issuers = methods.filter((method) => method.kind === 'jwt')
  if (new Set(issuers.map(({ issuer }) => issuer)).size < issuers.length)
    throw invalid('two methods have the same issuer')
  if (new Set(issuers.map(peerKind)).size < issuers.length)
    throw invalid('two issuers have the same kind of peer, so their ids could meet; set peer.kind')
  return methods
}

export function peerKind({ peer }: JwtMethod): string {
  return peer?.kind ?? 'user'
}

function check(method: AuthMethod): void {
  if (method.kind === 'bearer') checkTokens(method)
  else if (method.kind === 'jwt') checkJwt(method)
  else if (!['mtls', 'none', 'platform'].includes(method.kind))
    throw invalid('a method is none, bearer, jwt, mtls or platform')
}

function checkTokens({ tokens }: BearerMethod): void {
  if (tokens.length < 1 || tokens.length > 1000) throw invalid('tokens are 1 to 1,000')
  for (const { peer } of tokens) {
    if (!TEXT.test(peer.kind) || !TEXT.test(peer.id))
      throw invalid("a peer's kind and id are 1 to 256 visible characters")
    if (RESERVED.has(peer.kind)) throw invalid(`no caller can be of the kind ${peer.kind}`)
  }
}

function checkJwt(method: JwtMethod): void {
  const { algorithms = [], audience, clockSkewSeconds = 30, issuer, realm, realmClaim } = method
  const kind = peerKind(method)
  if (!TEXT.test(kind) || RESERVED_FOR_ISSUERS.has(kind))
    throw invalid(`no issuer's token can be a peer of the kind ${kind}`)
  if (issuer === '' || [audience].flat().length === 0 || [audience].flat().includes(''))
    throw invalid('jwt needs an issuer and an audience')
  if (!algorithms.every((name) => JWT_ALGORITHMS.includes(name)))
    throw invalid(`jwt algorithms are ${JWT_ALGORITHMS.join(', ')}`)
  if (!(clockSkewSeconds >= 0 && clockSkewSeconds <= 300))
    throw invalid('clockSkewSeconds is from 0 to 300')
  if (realm !== undefined && realmClaim !== undefined)
    throw invalid('jwt has realm or realmClaim, not both')
  if ('url' in method.jwks) checkUrl(method.jwks.url)
}

/** Who answers there decides whose tokens count. */
function checkUrl(text: string): void {
  const url = URL.parse(text)
  const isLocal =
    url?.protocol === 'http:' && /^(?:127\.0\.0\.1|localhost|\[::1\])$/.test(url.hostname)
  if (url?.protocol !== 'https:' && !isLocal)
    throw invalid('jwks.url is an https URL; http is for this machine only')
}

export function invalid(what: string, cause?: unknown): TransportError {
  return new TransportError('transport/http', 'invalid_options', `auth: ${what}`, { cause })
}
