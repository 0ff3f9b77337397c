/** Deltas as bytes: what leads from one document to another, in paths that OPA reads, under a manifest that names both bundles. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { patched } from '../../adapters/engine/data/index.ts'
import type { Value } from '../../adapters/engine/value/value.ts'
import type { Json } from '../../core/json.ts'
import { type Delta, isDelta, readDelta, readDeltaManifest, writeDelta } from './delta.ts'
import { difference } from './difference.ts'
import { PATCH, type PatchOperation, pointerOf, readPatch, writePatch } from './patch.ts'
import { statementOf } from './statement.ts'

type Members = { readonly [name: string]: Json }
const name = fc.constantFrom('', 'a', 'b', 'c', 'a/b', 'a~b', '~1', '100%', '%2F', '__proto__', 'ü')
const document: fc.Arbitrary<Members> = fc.dictionary(
  name.filter((text) => text !== ''),
  fc.letrec<{ value: Json }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom<Json>(null, true, 0, 1.5, 'x', [], {}),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value,
  { maxKeys: 5, noNullPrototype: true },
)
const MAX = 1_000_000
const applied = (from: Members, operations: readonly PatchOperation[]): Value =>
  patched(
    structuredClone(from) as Value,
    operations.map((each) => ({ ...each, path: pointerOf(each.path) })),
  )
const codeOf = (work: () => unknown): unknown => {
  try {
    return work()
  } catch (error) {
    return (error as { readonly code?: string }).code
  }
}

describe('the difference of two documents', () => {
  test('leads from one to the other, through the file that OPA reads', () => {
    fc.assert(
      fc.property(document, document, (from, to) => {
        const operations = difference(from, to)
        expect(applied(from, operations)).toEqual(to)
        if (operations.length > 0)
          expect(readPatch(writePatch(operations), MAX)).toEqual(operations)
      }),
      { numRuns: 2000 },
    )
  })

  test('is none between a document and itself, in whatever order its members are', () => {
    fc.assert(
      fc.property(document, (one) => {
        const turned = Object.fromEntries(Object.entries(one).reverse())
        expect(difference(one, turned)).toEqual([])
      }),
    )
  })

  test('says what changed, not what stayed, and is never longer than the whole', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`user-${i}`, ['read']]))
    const { 'user-7': _, ...rest } = many
    const to = { users: { ...rest, 'user-8': [], new: 1 } }
    expect(difference({ users: many }, to)).toEqual([
      { op: 'upsert', path: ['users', 'new'], value: 1 },
      { op: 'remove', path: ['users', 'user-7'] },
      { op: 'upsert', path: ['users', 'user-8'], value: [] },
    ])
    const other = Object.fromEntries(Object.keys(many).map((name) => [`${name}x`, 1]))
    expect(difference({ users: many }, { users: other })).toEqual([
      { op: 'upsert', path: ['users'], value: other },
    ])
  })
})

describe('patch.json', () => {
  const read = (data: Json): unknown =>
    codeOf(() => readPatch(new TextEncoder().encode(JSON.stringify({ data })), MAX))

  test('has paths as OPA reads them', () => {
    for (const [path, names] of [
      ['a/b', ['a', 'b']],
      ['/a/b/', ['a', 'b']],
      ['//a//b', ['a', '', 'b']],
      ['/a%2Fb/~1~01', ['a/b', '/~1']],
      ['/a%7E1b', ['a/b']],
    ] as const)
      expect(read([{ op: 'remove', path }]), path).toEqual([{ op: 'remove', path: names }])
  })

  test('that OPA would not take is refused', () => {
    const bad: readonly Json[] = [
      [],
      {},
      [{ op: 'remove', path: '' }],
      [{ op: 'remove', path: '/%' }],
      [{ op: 'upsert', path: '/a' }],
      [{ op: 'move', path: '/a', from: '/b' }],
      [{ op: 'upsert', path: '/a', value: 1, more: 1 }],
    ]
    for (const data of bad) expect(read(data), JSON.stringify(data)).toBe('invalid_patch')
    expect(codeOf(() => readPatch(new Uint8Array([0xff]), MAX))).toBe('invalid_patch')
  })
})

describe('a delta', () => {
  const sha = (digit: string): string => `sha256:${digit.repeat(64)}`
  const delta: Delta = {
    manifest: { counter: 8, roots: ['a', 'b'], base: sha('1'), result: sha('2') },
    operations: [{ op: 'upsert', path: ['a', 'x'], value: { y: 1 } }],
  }

  test('is read as it was written', () => {
    const files = writeDelta(delta)
    expect(isDelta(files)).toBe(true)
    expect(readDelta(files, { maxBytes: MAX })).toEqual(delta)
    expect(readDeltaManifest(files)).toEqual(delta.manifest)
  })

  test('leads to another bundle than it applies to', () => {
    const { base } = delta.manifest
    const circle = writeDelta({ ...delta, manifest: { ...delta.manifest, result: base } })
    expect(codeOf(() => readDelta(circle, { maxBytes: MAX }))).toBe('invalid_manifest')
  })

  test('changes nothing outside its roots, and brings nothing else', () => {
    const outside = { ...delta, operations: [{ op: 'remove', path: ['c'] } as const] }
    expect(codeOf(() => readDelta(writeDelta(outside), { maxBytes: MAX }))).toBe('delta_roots')
    for (const more of ['x.rego', 'a/data.json', 'policy.wasm', 'tests/recorded/a.json']) {
      const files = new Map([...writeDelta(delta), [more, new Uint8Array()]])
      expect(
        codeOf(() => readDelta(files, { maxBytes: MAX })),
        more,
      ).toBe('delta_not_data')
    }
    const bare = new Map([[PATCH, new Uint8Array()]])
    expect(codeOf(() => readDelta(bare, { maxBytes: MAX }))).toBe('missing_file')
  })

  test('has a statement that says from where to where, and that no other delta has', () => {
    const of = (manifest: Partial<Delta['manifest']>, value: Json = 1): string =>
      statementOf(
        writeDelta({
          manifest: { ...delta.manifest, ...manifest },
          operations: [{ op: 'upsert', path: ['a'], value }],
        }),
      )
    expect(of({}).split('\n').slice(0, 2)).toEqual(['assay.policy-delta/v1', 'scope policy'])
    expect(of({})).toContain(`base ${sha('1')}\nresult ${sha('2')}\nrevision 8\nroot a\nroot b\n`)
    const all = [
      of({}),
      of({}, 2),
      of({ counter: 9 }),
      of({ base: sha('3') }),
      of({ result: sha('3') }),
      of({ roots: ['a'] }),
    ]
    expect(new Set(all).size).toBe(all.length)
  })
})
