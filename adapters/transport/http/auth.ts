/**
 * Who asks. Each request is authenticated by what it presents itself: a bearer token counts before the connection's certificate, and what
 * was presented and does not hold is refused, whatever else would have let the caller in.
 */
import type { Clock } from '../../../core/ports/clock.ts'
import type { Peer } from '../../../core/request.ts'
import { Refusal } from './answer.ts'
import { peerOf } from './auth-certificate.ts'
import { Issuer, refused } from './auth-jwt.ts'
import { type AuthOption, invalid, type MtlsMethod, readMethods } from './auth-options.ts'
import { readBearer, StaticTokens } from './auth-token.ts'
import type { Call } from './call.ts'
import type { ClientCertificate } from './connection.ts'

/** Without a realm: of the server's own, where there are several. */
export interface Identity {
  readonly peer: Peer
  readonly realm?: string
}
/** Where nothing is asked for, nobody is identified, whatever the request says. */
export const ANONYMOUS: Peer = { kind: 'anonymous', id: 'anonymous' }

export interface AuthResources {
  /** For the validity of tokens, where the platform's own is the default, and of certificates, which need one. */
  readonly clock?: Clock | undefined
  /** A file of secrets or keys changed; with an error: and cannot be used, so the one before it still is. */
  readonly onChange?: (error?: unknown) => void
  /** Milliseconds between two looks at files. Default 1,000. */
  readonly lookMs?: number | undefined
}

export class Authenticator {
  /** Whether somebody who presents nothing gets in. */
  readonly letsAnyoneIn: boolean
  /** Whether tokens travel in headers, where anybody reads them who sees plain HTTP. */
  readonly takesTokens: boolean
  readonly #tokens: readonly StaticTokens[]
  readonly #issuers: readonly Issuer[]
  readonly #certificates: readonly MtlsMethod[]
  readonly #trustsPlatform: boolean
  readonly #clock: Clock | undefined

  private constructor(
    option: AuthOption,
    tokens: readonly StaticTokens[],
    issuers: readonly Issuer[],
    clock: Clock | undefined,
  ) {
    const methods = readMethods(option)
    this.letsAnyoneIn = methods.some(({ kind }) => kind === 'none')
    this.takesTokens = tokens.length + issuers.length > 0
    this.#tokens = tokens
    this.#issuers = issuers
    this.#certificates = methods.filter((method) => method.kind === 'mtls')
    this.#trustsPlatform = methods.some(({ kind }) => kind === 'platform')
    this.#clock = clock
  }

  /** @throws TransportError `invalid_options` */
  static async open(option: AuthOption, resources: AuthResources = {}): Promise<Authenticator> {
    const { clock, lookMs, onChange = () => undefined } = resources
    const methods = readMethods(option)
    // The handshake may be long ago.
    if (clock === undefined && methods.some(({ kind }) => kind === 'mtls'))
      throw invalid('the method mtls needs a clock')
    const tokens: StaticTokens[] = []
    const issuers: Issuer[] = []
    try {
      for (const method of methods) {
        if (method.kind === 'bearer') tokens.push(await StaticTokens.open(method, onChange, lookMs))
        if (method.kind === 'jwt') issuers.push(await Issuer.open(method, onChange, clock, lookMs))
      }
    } catch (error) {
      for (const opened of [...tokens, ...issuers]) opened.close()
      throw error
    }
    return new Authenticator(option, tokens, issuers, clock)
  }

  /** @throws Refusal with 401, or 400 when the header cannot be read; NoDecision when keys cannot be had */
  identify(call: Call): Identity | Promise<Identity> {
    if (this.#trustsPlatform && call.platformPeer !== undefined) return { peer: call.platformPeer }
    if (this.takesTokens) {
      const token = readBearer(call.lines('authorization'))
      if (token !== undefined) return this.#bearer(token)
    }
    if (this.#certificates.length > 0) {
      const certificate = call.remote?.certificate
      if (certificate !== undefined) return this.#certified(certificate)
    }
    if (this.letsAnyoneIn) return { peer: ANONYMOUS }
    throw new Refusal('unauthenticated', 'say who you are')
  }

  /** What a 401 asks for (RFC 9110, 11.6.1; RFC 6750, 3). */
  challenge(code: string): string {
    if (!this.takesTokens) return 'Certificate'
    return code === 'unauthenticated' ? 'Bearer' : 'Bearer error="invalid_token"'
  }

  close(): void {
    for (const opened of [...this.#tokens, ...this.#issuers]) opened.close()
  }

  #bearer(token: string): Identity | Promise<Identity> {
    for (const tokens of this.#tokens) {
      const found = tokens.find(token)
      if (found !== undefined) return found
    }
    const unverified = unverifiedClaims(token)
    const issuer = unverified && this.#issuers.find((one) => one.isNamedBy(unverified))
    if (issuer === undefined) throw refused()
    return issuer.verify(token)
  }

  #certified(certificate: NonNullable<ClientCertificate>): Identity {
    const peer = certificate === 'unverified' ? undefined : peerOf(certificate)
    const method = peer && this.#certificates.find(({ ids }) => ids?.includes(peer.id) ?? true)
    if (peer === undefined || method === undefined || this.#isExpired(certificate))
      // A new connection may show another one.
      throw new Refusal(
        'invalid_certificate',
        'the certificate is not valid here, or not any more',
        {
          connection: 'close',
        },
      )
    return { peer, ...(method.realm === undefined ? {} : { realm: method.realm }) }
  }

  /** A connection may outlive its certificate. */
  #isExpired(certificate: NonNullable<ClientCertificate>): boolean {
    if (this.#clock === undefined || certificate === 'unverified') return true
    return this.#clock.now() >= certificate.validToDate.getTime()
  }
}

/** Of a signed token, to find out whose it claims to be. */
function unverifiedClaims(token: string): { readonly iss?: string } | undefined {
  const [, payload, ...rest] = token.split('.')
  if (payload === undefined || rest.length !== 1) return undefined
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    return typeof claims === 'object' && claims !== null ? claims : undefined
  } catch {
    return undefined
  }
}
