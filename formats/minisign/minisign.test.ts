/** Bytes of minisign's formats and what is read out of them; `test/interop/minisign.test.ts` holds the same against the program itself. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { released, Signer } from '../../test/release/signer.ts'
import {
  digestsFor,
  familyOf,
  isPlainName,
  keyIdText,
  publicKeyFile,
  publicKeyText,
  readComment,
  readPublicKey,
  readPublicKeyFile,
  readSignature,
  readVersion,
  signatureFile,
  type VersionOrder,
  versionInName,
} from './index.ts'

const signer = new Signer('release')
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('keys', () => {
  it('are written as they are read', () => {
    for (const read of [
      readPublicKey(publicKeyText(signer)),
      readPublicKeyFile(bytes(publicKeyFile(signer))),
    ]) {
      expect(read).toMatchObject({ keyId: signer.keyId, key: { publicKey: signer.publicKey } })
    }
    expect(readPublicKeyFile(bytes(`anything\r\n${signer.text}\r\nmore`))).toHaveProperty('key')
  })

  it('have an id that is printed like a number', () => {
    expect(keyIdText(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 0xff))).toBe('FF07060504030201')
  })

  it.each([
    ['', 'malformed'],
    [signer.text.slice(1), 'malformed'],
    [`${signer.text} `, 'malformed'],
    [signer.text.replace('RW', 'RU'), 'malformed'],
    [publicKeyText({ keyId: signer.keyId, publicKey: new Uint8Array(32) }), 'weak_key'],
    [
      publicKeyText({ keyId: signer.keyId, publicKey: Uint8Array.of(1, ...new Uint8Array(31)) }),
      'weak_key',
    ],
    [publicKeyText({ keyId: signer.keyId, publicKey: new Uint8Array(32).fill(0xff) }), 'weak_key'],
  ])('that are none are refused: %s', (text, problem) => {
    expect(readPublicKey(text)).toEqual({ problem })
  })

  it.each([
    '',
    signer.text,
    '\n',
    `c\n${signer.text}x`,
    `c\n ${signer.text}`,
    `${'c'.repeat(1023)}\n${signer.text}`,
  ])('stand in the second line of their file: %j', (text) =>
    expect(readPublicKeyFile(bytes(text))).toEqual({ problem: 'malformed' }),
  )
})

describe('signature files', () => {
  const part = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
  const comment = fc
    .uint8Array({ max: 255, maxLength: 200 })
    .map((all) => all.filter((byte) => ![0x00, 0x0a, 0x0d].includes(byte)))

  it('are written as they are read', () => {
    const property = fc.property(
      fc.constantFrom('legacy' as const, 'prehashed' as const),
      part(8),
      part(64),
      comment,
      part(64),
      (algorithm, keyId, signature, trustedComment, globalSignature) => {
        const written = { algorithm, keyId, signature, trustedComment, globalSignature }
        expect(readSignature(signatureFile(written))).toEqual(written)
      },
    )
    fc.assert(property)
  })

  it('of any bytes are read or refused', () => {
    const property = fc.property(fc.uint8Array({ maxLength: 2000 }), (file) => {
      expect(readSignature(file)).toEqual({ problem: 'malformed_signature' })
    })
    fc.assert(property)
  })
})

describe('listings', () => {
  const digest = 'ab'.repeat(32)
  const { name } = released(signer)
  it.each<[string, readonly string[]]>([
    [`${digest}  ${name}`, [digest]],
    [`${digest.toUpperCase()} *${name}\r\n`, [digest]],
    [`${digest}  ${name}\n${digest}  ${name}\n`, [digest, digest]],
    [`short  ${name}\n`, ['short']],
    [`${digest} ${name}\n`, []],
    [`${digest}\t${name}\n`, []],
    [`${digest}   ${name}\n`, []],
    [`\\${digest}  ${name}\n`, []],
    [`\ufeff${digest}  ${name}\n`, []],
    [`${digest}  ${name}\r\r\n`, []],
    [`  ${name}\n`, []],
  ])('%j', (text, digests) => expect(digestsFor(bytes(text), name)).toEqual(digests))

  it.each([name, 'a', 'a~b+c_d@e', 'größe.tar', 'x'.repeat(255)])('%s is a plain name', (plain) => {
    expect(isPlainName(plain)).toBe(true)
  })
  it.each([
    '',
    '.',
    '..',
    '.a',
    '-a',
    '*a',
    'a/b',
    '/a',
    'a\\b',
    'c:a',
    'a b',
    'a\n',
    'a\0',
    'a\u202eb',
    'ü'.repeat(128),
    '\ud800',
  ])('%j is none', (odd) => expect(isPlainName(odd)).toBe(false))
})

describe('trusted comments', () => {
  it.each<[string, object]>([
    [
      'timestamp:5 file:a version:1.0 hashed',
      { file: 'a', timestamp: 5, version: { text: '1.0' }, unclear: [] },
    ],
    ['timestamp:5\tfile:a b\thashed', { file: 'a b', timestamp: 5, unclear: [] }],
    ['', { unclear: [] }],
    ['file: timestamp:-1 version:x', { unclear: ['file', 'timestamp', 'version'] }],
    ['file:a file:b', { unclear: ['file'] }],
    ['xfile:a File:b', { unclear: [] }],
    ['timestamp:05 timestamp:1', { unclear: ['timestamp'] }],
  ])('%j', (text, fields) => {
    const read = readComment(text)
    expect(read).toMatchObject(fields)
    expect(Object.keys(read).sort()).toEqual(Object.keys(fields).sort())
  })
})

/** As Rego compares arrays. */
function compare(a: unknown, b: unknown): number {
  if (Array.isArray(a) && Array.isArray(b)) {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const order = compare(a[i], b[i])
      if (order !== 0) return order
    }
    return a.length - b.length
  }
  if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1
  return (a as string) < (b as string) ? -1 : (a as string) > (b as string) ? 1 : 0
}
const order = (text: string): VersionOrder | undefined => readVersion(text)?.order

describe('versions', () => {
  it('have the order of Semantic Versioning', () => {
    const rising = [
      '0',
      '0.9',
      '1.0.0-1',
      '1.0.0-alpha',
      '1.0.0-alpha.1',
      '1.0.0-alpha.beta',
      '1.0.0-beta',
      '1.0.0-beta.2',
      '1.0.0-beta.11',
      '1.0.0-rc.1',
      '1.0.0',
      '1.0.1',
      '1.2',
      '1.10',
      '2',
      '2026.11.21',
    ]
    for (let i = 1; i < rising.length; i++)
      expect([rising[i], Math.sign(compare(order(rising[i - 1]!), order(rising[i]!)))]).toEqual([
        rising[i],
        -1,
      ])
  })
  it('are the same with a v, with zeros after them, and built otherwise', () => {
    for (const same of ['v1.2', '1.2.0', '1.2.0.0', '1.2+build.5', '01.02'])
      expect(order(same)).toEqual(order('1.2'))
  })
  it.each([
    '',
    'v',
    'latest',
    '1.',
    '.1',
    '1..2',
    '1.2-',
    '1.2-a..b',
    '1.2+',
    '1 2',
    '-1',
    '1.2.3.4.5.6.7.8.9',
    '9'.repeat(16),
    `1-${'a'.repeat(127)}`,
    '1.2\n',
  ])('%j is none', (text) => expect(readVersion(text)).toBeUndefined())
  it.each<[string, string | undefined, string]>([
    ['grafos-1.4.2-x86_64.tar.gz', '1.4.2', 'grafos-*-x86_64.tar.gz'],
    ['grafos-1.4.2-x86_64.tar.gz', undefined, 'grafos-*-x86_64.tar.gz'],
    ['grafos-1.4.2-x86_64.tar.gz', '1.4.1', 'grafos-*-x86_64.tar.gz'],
    ['grafos-1.5.0-rc.1.tar.gz', '1.5.0-rc.1', 'grafos-*.tar.gz'],
    ['grafos.tar.gz', '1.4.2', 'grafos.tar.gz'],
    ['grafos-$&-1.0', '1.0', 'grafos-$&-*'],
  ])('%s at %s is of the family %s', (name, stated, family) => {
    expect(familyOf(name, stated)).toBe(family)
  })
  it('stand in names', () => {
    expect(versionInName('grafos-1.4.2-x86_64.tar.gz')?.text).toBe('1.4.2')
    expect(versionInName('grafos-x86_64.tar.gz')).toBeUndefined()
  })
})
