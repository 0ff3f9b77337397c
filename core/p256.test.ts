import { createECDH, createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { p256 } from '@noble/curves/nist.js'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { utf8 } from '../test/log.ts'
import { fromHex, toHex } from './crypto.ts'

type P256 = typeof import('./p256.ts')
/** Of the field, of the group, and the base point. */
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n
const N = p256.Point.Fn.ORDER
const message = utf8('a message')

const bytes32 = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0'))!
const half = (signature: Uint8Array, i: 0 | 1): bigint =>
  BigInt(`0x${toHex(signature.subarray(32 * i, 32 * i + 32))}`)
const signatureOf = (r: bigint, s: bigint): Uint8Array =>
  Uint8Array.of(...bytes32(r), ...bytes32(s))

/** By its code alone: the class is that of the module instance under test. */
function codeOf(work: () => unknown): unknown {
  try {
    work()
    return 'accepted'
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

/** A key of the platform's, with its point. */
function pair(): { readonly key: KeyObject; readonly point: Uint8Array } {
  const { privateKey: key, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
  const point = [4, ...Buffer.from(x, 'base64url'), ...Buffer.from(y, 'base64url')]
  return { key, point: Uint8Array.from(point) }
}
const signed = (key: KeyObject, data: Uint8Array): Uint8Array =>
  Uint8Array.from(sign('sha256', data, { key, dsaEncoding: 'ieee-p1363' }))

describe.each(['node', 'noble'])('P-256 on %s', (platform) => {
  let crypto: P256
  beforeAll(async () => {
    vi.resetModules()
    if (platform === 'noble') vi.stubGlobal('process', {})
    crypto = await import('./p256.ts')
    vi.unstubAllGlobals()
  })
  afterAll(() => vi.resetModules())

  it('verifies what the platform signs, and no changed bit of it', () => {
    const { key: secret, point } = pair()
    const key = crypto.p256Key(point)
    expect(key).toMatchObject({ algorithm: 'ecdsa-p256', publicKey: point })
    expect(key.handle === undefined).toBe(platform === 'noble')
    const signature = signed(secret, message)
    expect(crypto.verifyP256(key, message, signature)).toBe(true)
    expect(crypto.verifyP256(key, utf8('another'), signature)).toBe(false)
    for (let bit = 0; bit < 512; bit += platform === 'node' ? 7 : 41) {
      const changed = signature.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(crypto.verifyP256(key, message, changed)).toBe(false)
    }
  })

  it('takes both values of s', () => {
    const { key: secret, point } = pair()
    const signature = signed(secret, message)
    const other = signatureOf(half(signature, 0), N - half(signature, 1))
    const key = crypto.p256Key(point)
    expect(crypto.verifyP256(key, message, signature)).toBe(true)
    expect(crypto.verifyP256(key, message, other)).toBe(true)
  })

  it('refuses r and s that are no numbers from 1 to n-1, and every other length', () => {
    const { key: secret, point } = pair()
    const key = crypto.p256Key(point)
    const signature = signed(secret, message)
    const [r, s] = [half(signature, 0), half(signature, 1)]
    const most = 2n ** 256n - 1n
    for (const wrong of [0n, N, N + 1n, P, most]) {
      expect(crypto.verifyP256(key, message, signatureOf(wrong, s))).toBe(false)
      expect(crypto.verifyP256(key, message, signatureOf(r, wrong))).toBe(false)
      expect(crypto.verifyP256(key, message, signatureOf(wrong, wrong))).toBe(false)
    }
    // The same numbers, with n added where that has 32 bytes still.
    for (const [a, b] of [
      [r + N, s],
      [r, s + N],
    ] as const)
      if (a <= most && b <= most)
        expect(crypto.verifyP256(key, message, signatureOf(a, b))).toBe(false)
    for (const length of [0, 63, 65, 72])
      expect(crypto.verifyP256(key, message, new Uint8Array(length).fill(1))).toBe(false)
    expect(crypto.verifyP256(key, message, Uint8Array.of(...signature, 0))).toBe(false)
    const der = crypto.derFromSignature(signature)
    expect(crypto.verifyP256(key, message, der)).toBe(false)
  })

  it('refuses the signatures that fit every key when r and s are not checked', () => {
    const { point } = pair()
    const key = crypto.p256Key(point)
    // s = 0 makes the point at infinity, r = n is 0 again, r = s = 1 fits by chance only.
    for (const [r, s] of [
      [1n, 0n],
      [0n, 1n],
      [1n, 1n],
      [N - 1n, N - 1n],
    ] as const)
      expect(crypto.verifyP256(key, message, signatureOf(r, s))).toBe(false)
  })

  it('verifies an r that was reduced, where x is beyond the order', () => {
    // k is made so that x of k·G is at least n: found as the x-coordinates between n and p, of which a point is on the curve.
    let x = N
    const isOnCurve = (candidate: bigint): boolean => {
      const encoded = Uint8Array.of(2, ...bytes32(candidate))
      return codeOf(() => p256.Point.fromBytes(encoded)) === 'accepted'
    }
    while (!isOnCurve(x)) x += 1n
    const R = p256.Point.fromBytes(Uint8Array.of(2, ...bytes32(x)))
    // With s = r the key is Q = R - (h/r)·G: whoever picks the key so knows no secret, and the equation holds.
    const r = x % N
    const h = BigInt(`0x${toHex(digest(message))}`) % N
    const factor = p256.Point.Fn.mul(h, p256.Point.Fn.inv(r))
    const Q = R.subtract(p256.Point.BASE.multiply(factor))
    const key = crypto.p256Key(Q.toBytes(false))
    expect(crypto.verifyP256(key, message, signatureOf(r, r))).toBe(true)
  })

  it('imports points of the curve only', () => {
    const { point } = pair()
    const compressed = Uint8Array.of(2 + (point[64]! & 1), ...point.subarray(1, 33))
    const other = (change: (bytes: Uint8Array) => void): Uint8Array => {
      const copy = point.slice()
      change(copy)
      return copy
    }
    const refused = [
      new Uint8Array(),
      Uint8Array.of(0),
      new Uint8Array(65),
      Uint8Array.of(4, ...new Uint8Array(64)),
      compressed,
      point.subarray(1),
      Uint8Array.of(...point, 0),
      // Hybrid encodings, which some libraries take.
      other((bytes) => bytes.set([6 + (point[64]! & 1)])),
      other((bytes) => bytes.set([5])),
      other((bytes) => bytes.set([bytes[64]! ^ 1], 64)),
      Uint8Array.of(4, ...bytes32(P), ...point.subarray(33)),
      Uint8Array.of(4, ...new Uint8Array(64).fill(0xff)),
    ]
    for (const bytes of refused) expect(codeOf(() => crypto.p256Key(bytes))).toBe('weak_key')
    // x = 0 is on the curve, and x = p is the same number written otherwise.
    const zero = p256.Point.fromBytes(Uint8Array.of(2, ...new Uint8Array(32))).toBytes(false)
    expect(codeOf(() => crypto.p256Key(zero))).toBe('accepted')
    expect(
      codeOf(() => crypto.p256Key(Uint8Array.of(4, ...bytes32(P), ...zero.subarray(33)))),
    ).toBe('weak_key')
  })

  it('refuses a point of another curve', () => {
    const point = Uint8Array.from(createECDH('secp256k1').generateKeys())
    expect(codeOf(() => crypto.p256Key(point))).toBe('weak_key')
  })

  it('keeps its own copy of a key', () => {
    const { key: secret, point } = pair()
    const key = crypto.p256Key(point)
    point.fill(0)
    expect(crypto.verifyP256(key, message, signed(secret, message))).toBe(true)
  })
})

describe('DER', async () => {
  const { derFromSignature, p256FromSpki, p256Spki, signatureFromDer } = await import('./p256.ts')

  it('is what the platform writes, and reads', () => {
    const { key } = pair()
    for (let i = 0; i < 50; i++) {
      const der = Uint8Array.from(sign('sha256', utf8(`${i}`), key))
      const signature = signatureFromDer(der)
      expect(signature).toHaveLength(64)
      expect(derFromSignature(signature!)).toEqual(der)
    }
  })

  it('has one encoding for each signature, whatever its bytes', () => {
    // Leading zeros and high bits are where encodings differ.
    const part = fc.tuple(fc.nat({ max: 32 }), fc.uint8Array({ minLength: 32, maxLength: 32 }))
    const padded = part.map(([zeros, bytes]) => bytes.fill(0, 0, zeros))
    fc.assert(
      fc.property(padded, padded, (r, s) => {
        const signature = Uint8Array.of(...r, ...s)
        const der = derFromSignature(signature)
        expect(signatureFromDer(der)).toEqual(signature)
        expect(signatureFromDer(Uint8Array.of(...der, 0))).toBeUndefined()
        expect(signatureFromDer(der.subarray(0, -1))).toBeUndefined()
      }),
    )
  })

  it('is read strictly', () => {
    const one = '3006020101020101'
    expect(signatureFromDer(fromHex(one)!)).toEqual(signatureOf(1n, 1n))
    for (const hex of [
      '',
      '30',
      '3000',
      // A length in long form, an empty number, a leading zero too many, and one too few (a negative number).
      '308106020101020101',
      '30050200020101',
      '300702020001020101',
      '30060201ff020101',
      // Another tag outside and inside, bytes behind, and a length that says too much or too little.
      '3106020101020101',
      '3006030101020101',
      '3006020101030101',
      '300602010102010100',
      '3007020101020101',
      '3005020101020101',
      '3006020201020101',
      '300602010102ff01',
      `3026020101022101${'01'.repeat(32)}`,
      `30260221${'00'.repeat(33)}020101`,
    ])
      expect(signatureFromDer(fromHex(hex)!), hex).toBeUndefined()
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const read = signatureFromDer(bytes)
        if (read !== undefined) expect(derFromSignature(read)).toEqual(bytes)
      }),
    )
  })

  it('of a key is what the platform writes, and no other', () => {
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const spki = Uint8Array.from(publicKey.export({ format: 'der', type: 'spki' }))
    const point = p256FromSpki(spki)
    expect(p256Spki(point!)).toEqual(spki)
    const other = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey
    expect(
      p256FromSpki(Uint8Array.from(other.export({ format: 'der', type: 'spki' }))),
    ).toBeUndefined()
    for (const wrong of [spki.subarray(1), spki.subarray(0, -1), Uint8Array.of(...spki, 0)])
      expect(p256FromSpki(wrong)).toBeUndefined()
  })
})

function digest(data: Uint8Array): Uint8Array {
  return Uint8Array.from(createHash('sha256').update(data).digest())
}
