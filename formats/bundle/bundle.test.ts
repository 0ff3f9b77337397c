/** Bundles as bytes: one archive for the same files, digests that see every byte, OPA's way to write JSON. */
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { readText } from '../../test/source.ts'
import { contentDigest } from './digest.ts'
import { structuredText } from './hash.ts'
import { MANIFEST, type Manifest, readManifest, writeManifest } from './manifest.ts'
import { comparePoints } from './order.ts'
import { readRecorded } from './recorded.ts'
import { BUNDLE_REFUSALS } from './refusal.ts'
import { readSignatures, writeSignatures } from './signatures.ts'
import { readTar } from './tar.ts'
import { writeTar } from './tar-write.ts'

const segment = fc.stringMatching(/^[a-zé-ü🂡._-]{1,60}$/u).filter((name) => !/^\.{1,2}$/.test(name))
const path = fc.array(segment, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'))
const files = fc
  .uniqueArray(fc.tuple(path, fc.uint8Array({ maxLength: 1100 })), {
    selector: ([name]) => name,
    maxLength: 12,
  })
  .map((entries) => new Map(entries))

const codeOf = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return (error as { readonly code?: string }).code
  }
}

describe('an archive', () => {
  test('gives back what was written, whatever the names are', () => {
    fc.assert(
      fc.property(files, (written) => {
        const read = readTar(writeTar(written))
        expect(new Map([...read].map(([name, bytes]) => [name, [...bytes]]))).toEqual(
          new Map([...written].map(([name, bytes]) => [name, [...bytes]])),
        )
      }),
    )
  })

  test('is the same for the same files in any order', () => {
    fc.assert(
      fc.property(files, (written) => {
        const other = new Map([...written].reverse())
        expect(Buffer.compare(writeTar(written), writeTar(other))).toBe(0)
      }),
    )
  })

  test('with a name that fits nowhere else has a pax header', () => {
    const name = `${'n'.repeat(120)}.rego`
    expect([...readTar(writeTar(new Map([[name, Uint8Array.of(1)]])))]).toEqual([
      [name, Uint8Array.of(1)],
    ])
  })
})

describe('the digest of a content', () => {
  test('sees every byte, name and file, and no signature', () => {
    const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
    const base = new Map([
      ['a', bytes('1')],
      ['b', bytes('2')],
    ])
    const digest = contentDigest(base)
    expect(contentDigest(new Map([...base].reverse()))).toBe(digest)
    expect(contentDigest(new Map([...base, ['.signatures.json', bytes('{}')]]))).toBe(digest)
    const others = [
      new Map([...base, ['a', bytes('3')]]),
      new Map([...base, ['c', bytes('')]]),
      new Map([['a', bytes('1')]]),
      new Map([
        ['a', bytes('2')],
        ['b', bytes('1')],
      ]),
    ]
    expect(new Set([digest, ...others.map(contentDigest)]).size).toBe(5)
  })
})

test('paths are in the order of their code points', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (a, b) => {
      expect(Math.sign(comparePoints(a, b))).toBe(
        Math.sign(Buffer.compare(Buffer.from(a), Buffer.from(b))),
      )
    }),
  )
})

describe('a document is digested', () => {
  test('with its members in order, its numbers as they stand, and no white space', () => {
    const text = structuredText(
      '{ "b" : [1.0, 1e3, 12345678901234567890, -0], "a" : {"é": "<&>\\u2028\\u0007\\n", "__proto__": null} }',
    )
    expect(text).toBe(
      '{"a":{"__proto__":null,"é":"<&>\\u2028\\u0007\\n"},"b":[1.0,1e3,12345678901234567890,-0]}',
    )
  })

  test('by its value alone', () => {
    const hash = (json: string): string =>
      createHash('sha256').update(structuredText(json)).digest('hex')
    fc.assert(
      fc.property(fc.json(), (json) => {
        const pretty = JSON.stringify(JSON.parse(json), null, 3)
        // Numbers keep their digits, so only texts without any are compared.
        fc.pre(!/\d/.test(json))
        expect(hash(pretty)).toBe(hash(json))
      }),
    )
  })
})

const manifest: Manifest = {
  counter: 7,
  roots: ['assay', 'roles'],
  entrypoints: ['assay/access/decision'],
  capabilities: { name: 'trust', sha256: 'a'.repeat(64) },
  compiler: 'opa 1.22.0',
  digest: `sha256:${'b'.repeat(64)}`,
  data: `sha256:${'c'.repeat(64)}`,
  modules: { 'plan.json': `sha256:${'d'.repeat(64)}` },
}

describe('a manifest', () => {
  test('is read as it was written', () => {
    expect(readManifest(writeManifest(manifest))).toEqual(manifest)
  })

  test.each([
    ['a revision that is no number', { revision: 'v7' }],
    ['a revision that begins with 0', { revision: '07' }],
    ['another version of Rego', { rego_version: 0 }],
    ['what it does not know', { more: 1 }],
    ['no metadata', { metadata: undefined }],
    ['a root on two lines', { roots: ['a\nb'] }],
  ])('is refused with %s', (_, change) => {
    const written = JSON.parse(new TextDecoder().decode(writeManifest(manifest)))
    const text = JSON.stringify({ ...written, ...change })
    expect(codeOf(() => readManifest(new TextEncoder().encode(text)))).toBe('invalid_manifest')
  })

  test('is missed', () => {
    expect(codeOf(() => readManifest(undefined))).toBe('missing_file')
    expect(MANIFEST).toBe('.manifest')
  })
})

test('signatures keep what other programs wrote', () => {
  const both = { signatures: ['a.b.c'], assay: ['— policy/a AAAA'] }
  expect(readSignatures(writeSignatures(both))).toEqual(both)
  expect(readSignatures(undefined)).toEqual({})
  for (const text of ['[]', '{"signatures":[1]}', '{"x":1}', '{'])
    expect(codeOf(() => readSignatures(new TextEncoder().encode(text)))).toBe('signature_invalid')
})

test('recorded requests are one or many in a file, and complete', () => {
  const one = { entrypoint: 'a/b', input: { x: 1 }, expect: { allow: true, reasons: ['ok'] } }
  const file = (name: string, value: unknown): [string, Uint8Array] => [
    name,
    new TextEncoder().encode(JSON.stringify(value)),
  ]
  const read = readRecorded(
    new Map([
      file('tests/recorded/a.json', one),
      file('tests/recorded/b.json', [one, one]),
      file('tests/other/c.json', 'not read'),
    ]),
  )
  expect(read.map((each) => each.file)).toEqual([
    'tests/recorded/a.json',
    'tests/recorded/b.json',
    'tests/recorded/b.json',
  ])
  for (const bad of [{ ...one, expect: {} }, { ...one, more: 1 }, 'text'])
    expect(codeOf(() => readRecorded(new Map([file('tests/recorded/a.json', bad)])))).toBe(
      'invalid_data',
    )
})

test('every code stands in the table of docs/bundles.md', () => {
  const [, table = ''] = /## Codes\n([\s\S]*?)\n\n[A-Z]/.exec(readText('docs/bundles.md')) ?? []
  const rows = table.split('\n').slice(3)
  const told = rows.flatMap((row) => row.split('|')[1]?.match(/\w+/g) ?? [])
  expect(told.sort()).toEqual([...BUNDLE_REFUSALS].sort())
})
