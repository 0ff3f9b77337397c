import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DataOperation } from '../../../core/ports/engine.ts'
import type { Value } from '../value/value.ts'
import { DataRevision, type DataWatcher, PatchError } from './index.ts'

const nobody: DataWatcher = { leaving() {}, entered() {}, shifted() {}, changed() {} }

/** Through text: what stands in two places is two things, as in every document that was read. */
function first(root: unknown, watcher = nobody): DataRevision {
  return DataRevision.first('0', JSON.parse(JSON.stringify(root)) as Value, watcher)
}

/** JSON Patch once more, on values that never change: the plainest reading of RFC 6902. Undefined is a refusal. */
type Tree = { readonly [key: string]: Tree } | readonly Tree[] | boolean | null | number | string
function reference(root: Tree, operations: readonly DataOperation[]): Tree | undefined {
  let tree: Tree | undefined = root
  for (const operation of operations) {
    if (tree === undefined) return undefined
    const path = split(operation.path)
    if (operation.op === 'add') tree = added(tree, path, operation.value as Tree)
    else if (operation.op === 'remove') tree = path.length === 0 ? undefined : removed(tree, path)
    else if (operation.op === 'replace') {
      if (at(tree, path) === undefined) return undefined
      tree = edited(tree, path, () => operation.value as Tree)
    } else if (operation.op === 'test') {
      if (!same(at(tree, path), operation.value as Tree)) return undefined
    } else if (operation.op === 'copy' || operation.op === 'move') {
      const from = split(operation.from)
      const value = at(tree, from)
      if (value === undefined || (operation.op === 'move' && from.length === 0)) return undefined
      if (operation.op === 'move') {
        if (path.length > from.length && `${operation.path}/`.startsWith(`${operation.from}/`))
          return undefined
        tree = removed(tree, from)
      }
      tree = tree === undefined ? undefined : added(tree, path, value)
    }
  }
  return tree
}
const split = (pointer: string): string[] =>
  pointer === ''
    ? []
    : pointer
        .slice(1)
        .split('/')
        .map((name) => name.replaceAll('~1', '/').replaceAll('~0', '~'))
const isIndex = (name: string, limit: number): boolean =>
  /^(0|[1-9]\d*)$/.test(name) && Number(name) < limit
const same = (a: Tree | undefined, b: Tree): boolean => {
  try {
    expect(a).toEqual(b)
    return a !== undefined
  } catch {
    return false
  }
}
function at(tree: Tree, [name, ...rest]: readonly string[]): Tree | undefined {
  if (name === undefined) return tree
  if (typeof tree !== 'object' || tree === null) return undefined
  if (Array.isArray(tree) && !isIndex(name, tree.length)) return undefined
  const next = Object.hasOwn(tree, name) ? (tree as Record<string, Tree>)[name] : undefined
  return next === undefined ? undefined : at(next, rest)
}
function edited(tree: Tree, [name, ...rest]: readonly string[], edit: (old: Tree) => Tree): Tree {
  if (name === undefined) return edit(tree)
  if (Array.isArray(tree))
    return tree.map((item, i) =>
      i === Number(name) ? edited(item as Tree, rest, edit) : (item as Tree),
    )
  return Object.fromEntries(
    Object.entries(tree as Record<string, Tree>).map(([key, value]) => [
      key,
      key === name ? edited(value, rest, edit) : value,
    ]),
  )
}
function added(tree: Tree, path: readonly string[], value: Tree): Tree | undefined {
  const name = path.at(-1)
  if (name === undefined) return value
  const parent = at(tree, path.slice(0, -1))
  if (typeof parent !== 'object' || parent === null) return undefined
  if (!Array.isArray(parent))
    return edited(tree, path.slice(0, -1), (old) =>
      Object.fromEntries([...Object.entries(old as object), [name, value]]),
    )
  if (name !== '-' && !isIndex(name, parent.length + 1)) return undefined
  const index = name === '-' ? parent.length : Number(name)
  return edited(
    tree,
    path.slice(0, -1),
    () => [...parent.slice(0, index), value, ...parent.slice(index)] as Tree,
  )
}
function removed(tree: Tree, path: readonly string[]): Tree | undefined {
  if (at(tree, path) === undefined) return undefined
  const name = path.at(-1)!
  return edited(tree, path.slice(0, -1), (old) =>
    Array.isArray(old)
      ? old.filter((_, i) => i !== Number(name))
      : Object.fromEntries(Object.entries(old as object).filter(([key]) => key !== name)),
  )
}

const names = ['a', 'b', '0', '1', '2', '-', '__proto__', 'length', '~', '/']
const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1')
const pointer = fc
  .array(fc.constantFrom(...names), { maxLength: 3 })
  .map((path) => path.map((name) => `/${escaped(name)}`).join(''))
const leaf = fc.constantFrom(0, 1, 'x', null, true, [], {})
const value = fc.oneof(
  leaf,
  fc.array(leaf, { maxLength: 3 }),
  fc.dictionary(fc.constantFrom('a', 'b', '0', '__proto__'), leaf, { maxKeys: 3 }),
)
const operation: fc.Arbitrary<DataOperation> = fc.oneof(
  fc.record({ op: fc.constantFrom('add' as const, 'replace' as const), path: pointer, value }),
  fc.record({ op: fc.constant('remove' as const), path: pointer }),
  fc.record({
    op: fc.constantFrom('copy' as const, 'move' as const),
    from: pointer,
    path: pointer,
  }),
  fc.record({ op: fc.constant('test' as const), path: pointer, value }),
)
const tree = fc.dictionary(fc.constantFrom('a', 'b', '__proto__'), value)

describe('JSON Patch', () => {
  test('gives what RFC 6902 says, or nothing changes', () => {
    let taken = 0
    fc.assert(
      fc.property(tree, fc.array(operation, { maxLength: 6 }), (root, operations) => {
        const revision = first(root)
        const expected = reference(root as Tree, operations)
        if (expected === undefined) {
          expect(() => revision.patch(operations, '1')).toThrow(PatchError)
          expect(revision.root).toEqual(structuredClone(root))
        } else {
          taken++
          expect(revision.patch(operations, '1').root).toEqual(expected)
        }
      }),
      { numRuns: 3000 },
    )
    expect(taken).toBeGreaterThan(300)
  })
  test('every revision keeps its data, in whatever order they are asked', () => {
    fc.assert(
      fc.property(
        tree,
        fc.array(fc.tuple(fc.array(operation, { maxLength: 3 }), fc.nat()), { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 12 }),
        (root, steps, asked) => {
          const revisions = [{ revision: first(root), wanted: structuredClone(root) as Tree }]
          for (const [operations, from] of steps) {
            const { revision, wanted } = revisions[from % revisions.length]!
            const next = reference(wanted, operations)
            if (next === undefined)
              expect(() => revision.patch(operations, 'x')).toThrow(PatchError)
            else revisions.push({ revision: revision.patch(operations, 'x'), wanted: next })
          }
          for (const which of asked) {
            const { revision, wanted } = revisions[which % revisions.length]!
            expect(revision.root).toEqual(wanted)
          }
        },
      ),
      { numRuns: 500 },
    )
  })
  test('upsert makes the objects on its way, and inserts into an array as OPA does', () => {
    const revision = first({ a: { list: [1, 2] } }).patch(
      [
        { op: 'upsert', path: '/x/y/z', value: 1 },
        { op: 'upsert', path: '/a/list/0', value: 9 },
        { op: 'upsert', path: '/a/list/-', value: 3 },
      ],
      '1',
    )
    expect(revision.root).toEqual({ a: { list: [9, 1, 2, 3] }, x: { y: { z: 1 } } })
    expect(() => revision.patch([{ op: 'upsert', path: '/x/y/z/w', value: 1 }], '2')).toThrow(
      PatchError,
    )
  })
  const strange: readonly (readonly [string, unknown])[] = [
    ['nothing', undefined],
    ['a number that is none', Number.NaN],
    ['an integer that a double rounds', 1e20],
    ['a bigint', 1n],
    ['a date', new Date(0)],
    ['gaps', new Array(2)],
    ['nothing within', { a: [undefined] }],
    ['half a surrogate pair', '\ud800'],
  ]
  test.each(strange)('takes no value that is %s', (_, value) => {
    const revision = first({ list: [1, 2, 3] })
    for (const op of ['add', 'replace', 'test', 'upsert'] as const) {
      const operation = { op, path: '/list/0', value } as DataOperation
      expect(() => revision.patch([operation], '1')).toThrow(PatchError)
      expect(revision.root).toEqual({ list: [1, 2, 3] })
    }
  })
  test('takes nothing for an operation that is none', () => {
    for (const operation of [null, 1, {}, { op: 'add', path: 1, value: 1 }, { op: 'x', path: '' }])
      expect(() => first({}).patch([operation as unknown as DataOperation], '1')).toThrow(
        PatchError,
      )
  })
  test('what the caller does with a value afterwards does not reach the tree', () => {
    const value = { list: [1] }
    const revision = first({}).patch([{ op: 'add', path: '/v', value }], '1')
    value.list.push(2)
    expect(revision.root).toEqual({ v: { list: [1] } })
  })
  test('says which operation is wrong', () => {
    const bad: readonly (readonly [DataOperation, string])[] = [
      [{ op: 'remove', path: '/none' }, 'nothing is there'],
      [{ op: 'add', path: 'a', value: 1 }, 'pointer'],
      [{ op: 'add', path: '/~2', value: 1 }, 'pointer'],
      [{ op: 'add', path: '/f', value: (() => 1) as never }, 'JSON'],
      [{ op: 'nothing', path: '/a' } as never, 'operation'],
    ]
    for (const [wrong] of bad) {
      const patch = (): unknown =>
        first({ a: 1 }).patch([{ op: 'test', path: '/a', value: 1 }, wrong], '1')
      expect(patch).toThrow(expect.objectContaining({ operation: 1 }) as Error)
    }
  })
})

/** An index of the elements of each array by their member `k`, kept by what the watcher is told. */
class Index implements DataWatcher {
  readonly of = new Map<object, Map<unknown, Set<number>>>()
  readonly paths: string[] = []
  #entry(container: object, key: number | string): [Set<number>, number] | undefined {
    const index = this.of.get(container)
    const element = Object.hasOwn(container, key)
      ? (container as Record<number | string, { k?: unknown } | null>)[key]
      : undefined
    if (index === undefined || typeof element !== 'object' || element === null) return undefined
    const positions = index.get(element.k) ?? new Set()
    index.set(element.k, positions)
    return [positions, Number(key)]
  }
  leaving(container: object, key: number | string): void {
    const entry = this.#entry(container, key)
    entry?.[0].delete(entry[1])
  }
  entered(container: object, key: number | string): void {
    const entry = this.#entry(container, key)
    entry?.[0].add(entry[1])
  }
  shifted(array: object): void {
    this.of.delete(array)
  }
  changed(paths: readonly (readonly string[])[]): void {
    this.paths.push(...paths.map((path) => `/${path.join('/')}`))
  }
}

describe('what watches', () => {
  test('can keep an index of an array, whatever happens to its elements or below them', () => {
    const edit = fc.oneof(
      fc.record({
        op: fc.constant('replace' as const),
        path: fc.nat(5).map((i) => `/list/${i}`),
        value: fc.record({ k: fc.nat(2) }),
      }),
      fc.record({
        op: fc.constant('replace' as const),
        path: fc.nat(5).map((i) => `/list/${i}/k`),
        value: fc.nat(2),
      }),
      fc.record({
        op: fc.constant('add' as const),
        path: fc.constantFrom('/list/-', '/list/0'),
        value: fc.record({ k: fc.nat(2) }),
      }),
      fc.record({
        op: fc.constant('remove' as const),
        path: fc.constantFrom('/list/0', '/list/5'),
      }),
    )
    fc.assert(
      fc.property(
        fc.array(edit, { maxLength: 8 }),
        fc.array(fc.nat(), { maxLength: 4 }),
        (edits, asked) => {
          const index = new Index()
          let revision = first({ list: [0, 1, 2, 0, 1, 2].map((k) => ({ k })) }, index)
          const revisions = [revision]
          const list = (): object => (revision.root as { list: object }).list
          index.of.set(list(), new Map([0, 1, 2].map((k) => [k, new Set([k, k + 3])])))
          const check = (): void => {
            const kept = index.of.get(list())
            const elements = list() as { k: number }[]
            if (kept === undefined) return
            const wanted = new Map<number, number[]>()
            for (const [i, { k }] of elements.entries())
              wanted.set(k, [...(wanted.get(k) ?? []), i])
            for (const [k, positions] of kept)
              expect([...positions].sort()).toEqual(wanted.get(k as number) ?? [])
          }
          for (const one of edits) {
            try {
              revision = revision.patch([one], 'x')
              revisions.push(revision)
            } catch (error) {
              expect(error).toBeInstanceOf(PatchError)
            }
            check()
          }
          for (const which of asked) {
            revision = revisions[which % revisions.length]!
            check()
          }
        },
      ),
    )
  })
  test('is told the paths, once for all operations', () => {
    const index = new Index()
    const one = first({ a: 1, b: [1] }, index)
    const two = one.patch(
      [
        { op: 'replace', path: '/a', value: 2 },
        { op: 'add', path: '/b/-', value: 2 },
      ],
      '1',
    )
    expect(index.paths).toEqual(['/a', '/b'])
    void one.root
    expect(index.paths.slice(2).sort()).toEqual(['/a', '/b'])
    expect(two.root).toEqual({ a: 2, b: [1, 2] })
  })
})
