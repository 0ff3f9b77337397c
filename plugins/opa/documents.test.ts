/** Changes of documents: what a path means, and that nothing is changed in place. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../core/json.ts'
import { change, lookUp, makeParents, sorted } from './documents.ts'

const name = fc.constantFrom('a', 'b', '0', '1', '-', '__proto__', 'constructor', '')
const tree: fc.Arbitrary<Json> = fc.letrec<{ value: Json }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Json>(null, true, 1, 'text'),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(name, tie('value'), { maxKeys: 3, noNullPrototype: true }),
  ),
})).value
const path = fc.array(name, { minLength: 1, maxLength: 4 })

describe('a change', () => {
  test('leaves what it changed as it was', () => {
    fc.assert(
      fc.property(tree, path, tree, (document, at, value) => {
        const before = JSON.stringify(document)
        for (const op of ['add', 'replace'] as const) change(document, at, { op, value })
        change(document, at, { op: 'remove' })
        makeParents(document, at)
        expect(JSON.stringify(document)).toBe(before)
      }),
    )
  })

  test('put by replace is what is there then', () => {
    fc.assert(
      fc.property(tree, path, tree, (document, at, value) => {
        const changed = change(document, at, { op: 'replace', value })
        if ('failure' in changed) expect(lookUp(document, at)).toBeUndefined()
        else expect(lookUp(changed.value, at)).toEqual(value)
      }),
    )
  })

  test('undone is what it was', () => {
    fc.assert(
      fc.property(tree, path, tree, (document, at, value) => {
        const added = change(document, at, { op: 'add', value })
        if ('failure' in added || at.at(-1) === '-' || lookUp(document, at) !== undefined) return
        const removed = change(added.value, at, { op: 'remove' })
        expect('value' in removed && JSON.stringify(sorted(removed.value))).toBe(
          JSON.stringify(sorted(document)),
        )
      }),
    )
  })

  test('never reaches a prototype', () => {
    const changed = change({}, ['__proto__'], { op: 'add', value: { polluted: true } })
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    expect('value' in changed && JSON.stringify(changed.value)).toBe(
      '{"__proto__":{"polluted":true}}',
    )
    expect(lookUp({}, ['constructor'])).toBeUndefined()
    expect(lookUp([], ['length'])).toBeUndefined()
  })

  test.each([
    [{}, ['a', 'b'], { op: 'add', value: 1 }, 'document_not_found'],
    [{ a: 1 }, ['a', 'b'], { op: 'add', value: 1 }, 'document_not_found'],
    [{ a: [1] }, ['a', '2'], { op: 'add', value: 1 }, 'document_not_found'],
    [{ a: [1] }, ['a', '-'], { op: 'remove' }, 'invalid_change'],
    [{ a: [1] }, ['a', '01'], { op: 'replace', value: 1 }, 'document_not_found'],
    [{ a: 1 }, ['b'], { op: 'remove' }, 'document_not_found'],
    [{ a: 1 }, [], { op: 'remove' }, 'invalid_change'],
  ] as const)('%j at %j by %j: %s', (document, at, wanted, failure) => {
    expect(change(document as Json, at, wanted as { op: 'remove' })).toEqual({ failure })
  })
})

test('parents are objects, and are made where there is nothing', () => {
  expect(makeParents({}, ['a', 'b', 'c'])).toEqual({ value: { a: { b: {} } } })
  expect(makeParents({ a: { x: 1 } }, ['a', 'b', 'c'])).toEqual({ value: { a: { x: 1, b: {} } } })
  expect(makeParents({ a: [1] }, ['a', '0', 'c'])).toEqual({ failure: 'not_an_object' })
})
