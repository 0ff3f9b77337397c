/** Bearer tokens of an issuer, and the paths of OPA's data API. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { Refusal } from '../../../adapters/transport/http/answer.ts'
import { Issuer } from '../../../adapters/transport/http/auth-jwt.ts'
import { names } from '../../../adapters/transport/http/opa-wire.ts'
import type { Target } from '../fuzz.ts'
import { looseText, same } from './kit.ts'

const ISSUER = 'https://issuer.test'
const AUDIENCE = 'assay'
const keys = await generateKeyPair('EdDSA')
const folder = mkdtempSync(join(tmpdir(), 'assay-fuzz-'))
const file = join(folder, 'jwks.json')
writeFileSync(file, JSON.stringify({ keys: [{ ...(await exportJWK(keys.publicKey)), kid: 'a' }] }))
const method = { kind: 'jwt', issuer: ISSUER, audience: AUDIENCE, jwks: { file } } as const
const issuer = await Issuer.open(method, () => undefined, undefined)
issuer.close()
rmSync(folder, { recursive: true })

const signed = (claims: Record<string, string>): Promise<string> =>
  new SignJWT(claims)
    .setProtectedHeader({ alg: 'EdDSA', kid: 'a' })
    .setIssuer(ISSUER)
    .setAudience(AUDIENCE)
    .setExpirationTime('1d')
    .sign(keys.privateKey)
const genuine = [await signed({ sub: 'ada' }), await signed({ sub: 'ben', role: 'admin' })]
/** The last character of base64url holds bits that are no part of the signature. */
const said = (token: string): string => token.slice(0, token.lastIndexOf('.'))

const jwt: Target = {
  name: 'jwt',
  property: 'only what the issuer signed is taken, and says who the issuer said',
  files: /http\/auth-jwt\.ts$/,
  seeds: [
    ...genuine,
    `${Buffer.from('{"alg":"none"}').toString('base64url')}.${genuine[0]?.split('.')[1]}.`,
  ],
  tokens: ['.', '..', 'eyJhbGciOiJub25lIn0', 'eyJ', '=', '-', '_', 'A'],
  async check(bytes) {
    const token = looseText(bytes)
    const identity = await issuer.verify(token).catch((error: unknown) => {
      if (error instanceof Refusal && error.code === 'invalid_token') return undefined
      throw error
    })
    if (identity === undefined) return false
    const which = genuine.findIndex((one) => said(one) === said(token))
    same(identity.peer.id, ['ada', 'ben'][which])
    return true
  },
}

const opaPath: Target = {
  name: 'opa-path',
  property: 'names without empty ones; encoded again, they are the same names',
  files: /http\/opa-wire\.ts$/,
  seeds: ['/app/allow', 'a%2Fb//c', '/%E4%BD%A0/x%', ''],
  tokens: ['/', '%', '%2f', '%00', '..', '%zz', '[', ']'],
  check(bytes) {
    const read = names(looseText(bytes))
    if (read.includes('')) throw new Error('an empty name')
    if (!read.every((name) => name.isWellFormed())) return false
    same(names(read.map(encodeURIComponent).join('/')), read)
    return true
  },
}

export const TOKENS: readonly Target[] = [jwt, opaPath]
