import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type Call, contextOf, differences } from '../../../../test/builtins.ts'
import type { Value } from '../../value/value.ts'
import { JWT } from './index.ts'

const EC = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521' } as const

interface Pair {
  readonly jwk: Value
  readonly pem: string
}

function pairOf(alg: string): Pair {
  const { privateKey, publicKey } =
    alg === 'EdDSA'
      ? generateKeyPairSync('ed25519')
      : alg in EC
        ? generateKeyPairSync('ec', { namedCurve: EC[alg as 'ES256'] })
        : generateKeyPairSync('rsa', { modulusLength: 2048 })
  return {
    jwk: privateKey.export({ format: 'jwk' }) as Value,
    pem: publicKey.export({ format: 'pem', type: 'spki' }) as string,
  }
}

const SECRET = 'a secret'
const OCT: Value = { kty: 'oct', k: Buffer.from(SECRET).toString('base64url') }
const RSA = pairOf('RS256')
const CLAIMS: Value = { iss: 'me', aud: ['you', 'them'], exp: 2_000_000_000, nbf: 1_000_000_000 }
const TIME = 1_500_000_000_000_000_000

function signed(alg: string, key: Value, header: Value = { typ: 'JWT', alg }): string {
  const token = JWT['io.jwt.encode_sign']!(contextOf(), header, CLAIMS, key)
  if (typeof token !== 'string') throw new Error(`${alg} is not signed`)
  return token
}

/** Verified by its own built-in and by `decode_verify`, whole and with one byte changed. */
function checks(alg: string, token: string, key: string, constraint: Value): readonly Call[] {
  const broken = `${token.slice(0, -6)}${token.at(-6) === 'A' ? 'B' : 'A'}${token.slice(-5)}`
  return [token, broken].flatMap((one) => [
    { name: `io.jwt.verify_${alg.toLowerCase()}`, operands: [one, key] },
    { name: 'io.jwt.decode_verify', operands: [one, constraint] },
  ])
}

describe('tokens', () => {
  it.each(['HS256', 'HS384', 'HS512'])('by %s hold for OPA', async (alg) => {
    const token = signed(alg, OCT)
    const constraint = { secret: SECRET, aud: 'you', time: TIME, alg }
    expect(JWT['io.jwt.decode_verify']!(contextOf(), token, constraint)).toHaveProperty('0', true)
    expect(await differences(checks(alg, token, SECRET, constraint))).toEqual([])
  })

  it.each(['RS256', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'])(
    'by %s hold for OPA, and are the same each time',
    async (alg) => {
      const pair = /^[RP]S/.test(alg) ? RSA : pairOf(alg)
      const token = signed(alg, pair.jwk)
      expect(signed(alg, pair.jwk)).toBe(token)
      const constraint = { cert: pair.pem, aud: 'you', time: TIME }
      expect(JWT['io.jwt.decode_verify']!(contextOf(), token, constraint)).toHaveProperty('0', true)
      expect(await differences(checks(alg, token, pair.pem, constraint))).toEqual([])
    },
  )

  it('are held to what is demanded as OPA does', async () => {
    const token = signed('HS256', OCT)
    const demands: Value[] = [
      { secret: SECRET, aud: 'you', time: 2_000_000_000 * 1e9 },
      { secret: SECRET, aud: 'you', time: 999_999_999 * 1e9 },
      { secret: SECRET, time: TIME },
      { secret: SECRET, aud: 'nobody', time: TIME },
      { secret: SECRET, aud: 'them', iss: 'me', time: TIME },
      { secret: SECRET, aud: 'them', iss: 'other', time: TIME },
      { secret: SECRET, aud: 'you', alg: 'HS512', time: TIME },
      { secret: SECRET, cert: RSA.pem, time: TIME },
      { aud: 'you', time: TIME },
      { secret: SECRET, aud: 'you', time: -1 },
      { secret: SECRET, aud: 3, time: TIME },
      { secret: SECRET, aud: 'you', time: TIME, other: 1 },
      3,
    ]
    const calls = demands.map((demand) => ({
      name: 'io.jwt.decode_verify',
      operands: [token, demand],
    }))
    for (const text of ['', 'a.b', 'a.b.c', 'e30.e30.e30', `${token}.x`, 3])
      for (const name of ['io.jwt.decode', 'io.jwt.verify_hs256', 'io.jwt.verify_rs256'])
        calls.push({ name, operands: name === 'io.jwt.decode' ? [text] : [text, RSA.pem] })
    expect(await differences(calls)).toEqual([])
  })

  it('never hold by a public key taken for a secret', () => {
    const oct = { kty: 'oct', k: Buffer.from(RSA.pem).toString('base64url') }
    const forged = signed('HS256', oct)
    const verdict = JWT['io.jwt.decode_verify']!(contextOf(), forged, {
      cert: RSA.pem,
      aud: 'you',
      time: TIME,
    })
    expect(verdict).toEqual([false, {}, {}])
  })

  it('need a time, which nothing here takes from a clock', () => {
    const context = contextOf()
    const demand = { secret: SECRET, aud: 'you' }
    expect(JWT['io.jwt.decode_verify']!(context, signed('HS256', OCT), demand)).toBeUndefined()
    expect(context.failure?.code).toBe('eval_builtin_error')
    const at = { ...contextOf(), now: 1_500_000_000_000_000_000n }
    expect(JWT['io.jwt.decode_verify']!(at, signed('HS256', OCT), demand)).toHaveProperty('0', true)
  })
})
