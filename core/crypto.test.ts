import { createHash, generateKeyPairSync, sign } from 'node:crypto'
import { ed25519 } from '@noble/curves/ed25519.js'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'

type Crypto = typeof import('./crypto.ts')
const L = 2n ** 252n + 27742317777372353535851937790883648493n
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text)

/** An Ed25519 signature made by the platform, with its raw key. */
function signed(message: Uint8Array): { publicKey: Uint8Array; signature: Uint8Array } {
  const pair = generateKeyPairSync('ed25519')
  const { x } = pair.publicKey.export({ format: 'jwk' })
  return {
    publicKey: Uint8Array.from(Buffer.from(x as string, 'base64url')),
    signature: Uint8Array.from(sign(null, message, pair.privateKey)),
  }
}

function littleEndian(value: bigint): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number((value >> BigInt(8 * i)) & 255n))
}

/** By its code alone: the class is that of the module instance under test. */
function codeOf(work: () => unknown): unknown {
  try {
    work()
    return 'accepted'
  } catch (error) {
    return (error as { code?: unknown }).code
  }
}

/** Every encoding of a point whose order divides 8, and every one of a y that is not below p. */
function weakEncodings(): Uint8Array[] {
  const p = 2n ** 255n - 19n
  const order8 = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n
  const small = [0n, 1n, p - 1n, order8, p - order8]
  const unreduced = Array.from({ length: 19 }, (_, i) => p + BigInt(i))
  return [...small, ...unreduced].flatMap((y) => [littleEndian(y), littleEndian(y + 2n ** 255n)])
}

describe.each(['node', 'noble'])('crypto on %s', (platform) => {
  let crypto: Crypto
  beforeAll(async () => {
    vi.resetModules()
    if (platform === 'noble') vi.stubGlobal('process', {})
    crypto = await import('./crypto.ts')
    vi.unstubAllGlobals()
  })
  afterAll(() => vi.resetModules())

  it('hashes as FIPS 180-4 says', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 300 }),
        fc.string({ unit: 'binary' }),
        (data, text) => {
          const known = (input: Uint8Array) => createHash('sha256').update(input).digest()
          expect(crypto.sha256(data)).toEqual(Uint8Array.from(known(data)))
          expect(crypto.sha256Hex(data)).toBe(known(data).toString('hex'))
          const bytes = utf8(text)
          expect(crypto.sha256Text(text)).toEqual(Uint8Array.from(known(bytes)))
          expect(crypto.sha256Hex(text)).toBe(known(bytes).toString('hex'))
          expect(crypto.sha256TextBase64url(text)).toBe(known(bytes).toString('base64url'))
        },
      ),
    )
    expect(crypto.sha256(new Uint8Array()).constructor).toBe(Uint8Array)
  })

  it('verifies signatures and refuses every changed bit', () => {
    const message = utf8('a message')
    const { publicKey, signature } = signed(message)
    const key = crypto.ed25519Key(publicKey)
    expect(key.publicKey).toEqual(publicKey)
    expect(crypto.verifyEd25519(key, message, signature)).toBe(true)
    expect(crypto.verifyEd25519(key, utf8('another'), signature)).toBe(false)
    for (let bit = 0; bit < 512; bit += platform === 'node' ? 1 : 13) {
      const changed = signature.slice()
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(crypto.verifyEd25519(key, message, changed)).toBe(false)
    }
    for (const length of [0, 63, 65])
      expect(crypto.verifyEd25519(key, message, new Uint8Array(length))).toBe(false)
  })

  it('refuses S + L', () => {
    const message = utf8('malleable')
    const { publicKey, signature } = signed(message)
    let s = 0n
    for (let i = 31; i >= 0; i--) s = (s << 8n) | BigInt(signature[32 + i]!)
    const forged = Uint8Array.from([...signature.subarray(0, 32), ...littleEndian(s + L)])
    expect(crypto.verifyEd25519(crypto.ed25519Key(publicKey), message, forged)).toBe(false)
  })

  it('refuses an R outside the prime-order group', () => {
    // s·B = R + k·A holds only times eight when a point of order two is added to R.
    const { Point } = ed25519
    const [a, r, message] = [7n, 11n, utf8('cofactor')]
    const torsion = Point.fromBytes(littleEndian(2n ** 255n - 20n), false)
    const [A, R] = [Point.BASE.multiply(a), Point.BASE.multiply(r).add(torsion)]
    const input = Uint8Array.from([...R.toBytes(), ...A.toBytes(), ...message])
    const digest = createHash('sha512').update(input).digest()
    const k = BigInt(`0x${Buffer.from(digest).reverse().toString('hex')}`) % L
    const signature = Uint8Array.from([...R.toBytes(), ...littleEndian((r + k * a) % L)])
    expect(ed25519.verify(signature, message, A.toBytes(), { zip215: false })).toBe(true)
    const key = crypto.ed25519Key(A.toBytes())
    expect(crypto.verifyEd25519(key, message, signature)).toBe(false)
  })

  it('refuses weak keys', () => {
    const p = 2n ** 255n - 19n
    const mixed = ed25519.Point.BASE.add(ed25519.Point.fromBytes(littleEndian(p - 1n), false))
    const order8 = 'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a'
    const weak = [
      littleEndian(1n),
      littleEndian(0n),
      littleEndian(p - 1n),
      crypto.fromHex(order8)!,
      littleEndian(p),
      littleEndian(p + 1n),
      littleEndian(2n),
      littleEndian(2n ** 255n + 1n),
      mixed.toBytes(),
      new Uint8Array(31),
      new Uint8Array(33),
    ]
    for (const key of weak) expect(codeOf(() => crypto.ed25519Key(key))).toBe('weak_key')
  })

  it('imports the keys of a chain by their encoding, and refuses every one that is weak', () => {
    const message = utf8('in a chain')
    const { publicKey, signature } = signed(message)
    const key = crypto.ed25519ChainKey(publicKey)
    expect(crypto.verifyEd25519(key, message, signature)).toBe(true)
    expect(crypto.verifyEd25519(key, utf8('another'), signature)).toBe(false)
    for (const encoding of weakEncodings()) {
      expect(crypto.isWeakEncoding(encoding), crypto.toHex(encoding)).toBe(true)
      expect(codeOf(() => crypto.ed25519ChainKey(encoding))).toBe('weak_key')
      expect(codeOf(() => crypto.ed25519Key(encoding))).toBe('weak_key')
    }
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (seed) => {
        expect(crypto.isWeakEncoding(crypto.ed25519PublicKey(seed))).toBe(false)
      }),
      { numRuns: 20 },
    )
    expect(crypto.isWeakEncoding(littleEndian(2n ** 255n - 20n - 1n))).toBe(false)
  })

  it('nobody can sign for a key that encodes no point', () => {
    const key = crypto.ed25519ChainKey(littleEndian(2n))
    expect(crypto.verifyEd25519(key, utf8('anything'), new Uint8Array(64))).toBe(false)
  })

  it('derives public keys as RFC 8032 does', () => {
    const { d, x } = generateKeyPairSync('ed25519').privateKey.export({ format: 'jwk' })
    const seed = crypto.fromBase64url(d as string) as Uint8Array
    expect(crypto.toBase64url(crypto.ed25519PublicKey(seed))).toBe(x)
    const first = '9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60'
    const known = 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a'
    expect(crypto.toHex(crypto.ed25519PublicKey(crypto.fromHex(first) as Uint8Array))).toBe(known)
  })

  it('keeps its own copy of a key', () => {
    const message = utf8('copied')
    const { publicKey, signature } = signed(message)
    const key = crypto.ed25519Key(publicKey)
    publicKey.fill(0)
    expect(crypto.verifyEd25519(key, message, signature)).toBe(true)
  })

  it('gives fresh random bytes of any length', () => {
    for (const n of [0, 1, 16, 65_536, 65_537, 200_000])
      expect(crypto.randomBytes(n).length).toBe(n)
    expect(crypto.randomBytes(32)).not.toEqual(crypto.randomBytes(32))
    expect(
      crypto
        .randomBytes(70_000)
        .subarray(65_536)
        .some((byte) => byte !== 0),
    ).toBe(true)
  })
})

describe('codecs', async () => {
  const crypto = await import('./crypto.ts')
  const codecs = [
    ['base64', crypto.toBase64, crypto.fromBase64],
    ['base64url', crypto.toBase64url, crypto.fromBase64url],
    ['hex', crypto.toHex, crypto.fromHex],
  ] as const

  it.each(codecs)('%s agrees with the platform and reads back', (name, to, from) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(to(bytes)).toBe(Buffer.from(bytes).toString(name))
        expect(from(to(bytes))).toEqual(bytes)
      }),
    )
  })

  it.each(codecs)('%s reads nothing that it would not write', (_, to, from) => {
    const near = fc.string({ unit: fc.constantFrom(...'AQgw09afxyz+/-_= \n'), maxLength: 12 })
    fc.assert(
      fc.property(fc.oneof(near, fc.string()), (text) => {
        const bytes = from(text)
        if (bytes !== undefined) expect(to(bytes)).toBe(text)
      }),
      { numRuns: 2000 },
    )
  })

  it('refuses what lenient decoders take', () => {
    for (const text of ['QQ', 'QR==', 'QQ=', 'Q===', '====', 'QQ==\n', ' QQ==', 'QQ==QQ==', '-_-_'])
      expect(crypto.fromBase64(text)).toBeUndefined()
    for (const text of ['QQ==', 'QR', 'Q', '+/+/', 'QQ\n', 'Q Q'])
      expect(crypto.fromBase64url(text)).toBeUndefined()
    for (const text of ['0', 'AB', '0x', 'zz', '00 ']) expect(crypto.fromHex(text)).toBeUndefined()
  })
})
