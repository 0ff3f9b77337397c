/** Private keys, with the members of Go's JSON or as JWK. */
import type { JsonWebKey, KeyObject } from 'node:crypto'
import { integer } from '../../../value/number.ts'
import type { Value } from '../../../value/value.ts'
import { decodeUrlSafe } from '../../strings/encoding.ts'
import type { NodeCrypto } from '../node.ts'
import { blocks } from '../pem.ts'
import { unsigned } from './der.ts'
import { base64 } from './name.ts'

const FORMS: Readonly<Record<string, 'pkcs1' | 'pkcs8' | 'sec1'>> = {
  'RSA PRIVATE KEY': 'pkcs1',
  'PRIVATE KEY': 'pkcs8',
  'EC PRIVATE KEY': 'sec1',
}

/** Of every block that is one; other blocks are skipped. Undefined where one cannot be read. */
export function privateKeys(crypto: NodeCrypto, text: string): readonly KeyObject[] | undefined {
  const keys: KeyObject[] = []
  for (const { type, bytes } of blocks(text)) {
    const form = FORMS[type]
    if (form === undefined) continue
    try {
      const key = Buffer.from(bytes)
      keys.push(crypto.createPrivateKey({ key, format: 'der', type: form }))
    } catch {
      // Whatever OpenSSL says of it, it is no key.
      return undefined
    }
  }
  return keys
}

export function jwkOf(key: KeyObject): JsonWebKey {
  return key.export({ format: 'jwk' })
}

/** As Go writes the key's numbers. */
export function privateFields(key: KeyObject): Value {
  const jwk = jwkOf(key)
  const bytes = (name: keyof JsonWebKey): Uint8Array =>
    decodeUrlSafe(String(jwk[name])) ?? new Uint8Array()
  const number = (name: keyof JsonWebKey): Value => integer(unsigned(bytes(name)))
  if (jwk.kty === 'RSA')
    return {
      N: number('n'),
      E: number('e'),
      D: number('d'),
      Primes: [number('p'), number('q')],
      Precomputed: { Dp: number('dp'), Dq: number('dq'), Qinv: number('qi'), CRTValues: [] },
    }
  if (jwk.kty === 'EC') return { Curve: {}, X: number('x'), Y: number('y'), D: number('d') }
  return base64(Uint8Array.of(...bytes('d'), ...bytes('x')))
}
