/** An issuer of JSON Web Tokens for tests: a key, what it signs, and a server of its public half. */
import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose'

export const ISSUER = 'https://issuer.example.com'
export const AUDIENCE = 'https://pdp.example.com'

export class Issuer {
  readonly jwk: JWK
  readonly #key: CryptoKey
  readonly #server: Server
  /** What the server answers; a test may break it. */
  answer: { status: number; body: string }
  asked = 0

  private constructor(key: CryptoKey, jwk: JWK) {
    this.#key = key
    this.jwk = jwk
    this.answer = { status: 200, body: JSON.stringify({ keys: [jwk] }) }
    this.#server = createServer((_, outgoing) => {
      this.asked++
      outgoing.writeHead(this.answer.status, { 'content-type': 'application/json' })
      outgoing.end(this.answer.body)
    })
  }

  static async make(kid = 'k1'): Promise<Issuer> {
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true })
    const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' }
    const issuer = new Issuer(privateKey, jwk)
    issuer.#server.listen(0, '127.0.0.1')
    await once(issuer.#server, 'listening')
    return issuer
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo
    return `http://127.0.0.1:${port}/jwks`
  }

  /** Good for five minutes unless `claims` say otherwise. A claim that is undefined is left out. */
  async token(
    claims: Readonly<Record<string, unknown>> = {},
    header: Readonly<Record<string, unknown>> = {},
  ): Promise<string> {
    const now = Math.floor(Date.now() / 1000)
    const usual = { iss: ISSUER, aud: AUDIENCE, sub: 'ada', iat: now, exp: now + 300 }
    const told = Object.entries({ ...usual, ...claims }).filter(([, value]) => value !== undefined)
    return await new SignJWT(Object.fromEntries(told) as JWTPayload)
      .setProtectedHeader({ alg: 'ES256', kid: 'k1', ...header })
      .sign(this.#key, { crit: { x: true } })
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}

/** What nobody signed, or somebody with something else. */
export function forged(
  header: Readonly<Record<string, unknown>>,
  claims: Readonly<Record<string, unknown>>,
  signature = '',
): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${part(header)}.${part(claims)}.${signature}`
}
