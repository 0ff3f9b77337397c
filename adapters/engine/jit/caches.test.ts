/** Indexes, member sets and lists of keys follow changes of the data: what they answer, and what that costs. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { DataOperation } from '../../../core/ports/engine.ts'
import { bundle } from '../../../test/rego.ts'
import { DataRevision, PatchError } from '../data/index.ts'
import { toJson } from '../value/json.ts'
import type { Value } from '../value/value.ts'
import { Caches } from './caches.ts'
import { dataOf } from './data.ts'
import { compilePlan, type Program } from './program.ts'

const REGO = `decision := {
	"one": {k | some k, e in data.rows; e.a == input.a},
	"two": {k | some k, e in data.rows; e.a == input.a; e.b == input.b},
	"three": {[k, e.d] | some k, e in data.rows; e.a == input.a; e.b == input.b; e.c == input.c},
	"ordered": [k | some k, e in data.named; e.a == input.a],
	"named": {k | some k, e in data.named; e.a == input.a; e.b == input.b},
	"keys": [k | some k, _ in data.named],
	"all": {k | some k, _ in data.named},
	"members": {m | some m in input.many; m in data.list},
	"inner": {[j, k] | some j, rows in data.groups; some k, e in rows; e.a == input.a},
}`

const field = fc.constantFrom(0, 1, 2, '1', true, null, [1])
const row = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), field, { maxKeys: 4 })
const number = fc.nat(40)
const data = fc.record({
  rows: fc.array(row, { minLength: 10, maxLength: 30 }),
  named: fc.dictionary(fc.stringMatching(/^[a-z]{1,2}$/), row, { minKeys: 10, maxKeys: 30 }),
  list: fc.array(number, { minLength: 10, maxLength: 30 }),
  groups: fc.dictionary(fc.constantFrom('x', 'y'), fc.array(row, { minLength: 10, maxLength: 20 })),
})
const index = fc.oneof(fc.nat(30).map(String), fc.constant('-'))
const path = fc.oneof(
  fc.tuple(fc.constant('rows'), index),
  fc.tuple(fc.constant('rows'), index, fc.constantFrom('a', 'b', 'c', 'd')),
  fc.tuple(fc.constant('named'), fc.stringMatching(/^[a-z]{1,2}$/)),
  fc.tuple(fc.constant('list'), index),
  fc.tuple(fc.constant('groups'), fc.constantFrom('x', 'y'), index),
  fc.tuple(fc.constantFrom('rows', 'named', 'list', 'groups')),
  fc.tuple(fc.constant('groups'), fc.constantFrom('x', 'y')),
)
const pointer = path.map((names) => `/${names.join('/')}`)
const value = fc.oneof(row, number, field, fc.array(row, { minLength: 13, maxLength: 15 }))
const operation = fc.oneof(
  fc.record({ op: fc.constantFrom('add', 'replace', 'upsert'), path: pointer, value }),
  fc.record({ op: fc.constant('remove'), path: pointer }),
  fc.record({ op: fc.constantFrom('copy', 'move'), from: pointer, path: pointer }),
) as fc.Arbitrary<DataOperation>

/** Revisions one after the other; those that the operations do not fit stay what they were. */
function revisions(first: DataRevision, patches: readonly DataOperation[]): DataRevision[] {
  const all = [first]
  for (const patch of patches)
    try {
      all.push(all.at(-1)!.patch([patch], ''))
    } catch (error) {
      if (!(error instanceof PatchError)) throw error
    }
  return all
}

const MANY = Array.from({ length: 41 }, (_, i) => i)

function answers(program: Program, revision: DataRevision): unknown {
  return [0, 1, '1', true].map((a) => {
    const answer = program.evaluate('p/decision', { a, b: 1, c: 2, many: MANY }, revision.root)
    return answer === undefined ? undefined : toJson(answer)
  })
}

test('after any changes, and back at older revisions, the answers are those of a fresh policy', async () => {
  const { plan } = await bundle(REGO)
  const program = compilePlan(plan)
  const fresh = compilePlan(plan)
  const walk = fc.array(fc.nat(20), { maxLength: 6 })
  fc.assert(
    fc.property(data, fc.array(operation, { maxLength: 12 }), walk, (root, patches, visits) => {
      const first = dataOf(root, '', program, false)
      answers(program, first)
      const all = [first]
      // Evaluated in between, so that there is something to follow.
      for (const patch of patches) {
        const [, next] = revisions(all.at(-1)!, [patch])
        if (next !== undefined) all.push(next)
        answers(program, all.at(-1)!)
      }
      for (const visit of [all.length - 1, ...visits]) {
        const revision = all[visit % all.length]!
        const found = answers(program, revision)
        expect(found).toEqual(answers(fresh, alone(revision.root)))
      }
      program.forget()
    }),
    { numRuns: 150 },
  )
}, 60_000)

/** The same data in a tree of their own. */
function alone(root: Value): DataRevision {
  const nobody = { leaving() {}, entered() {}, shifted() {}, changed() {} }
  return DataRevision.first('', structuredClone(root), nobody)
}

const SIZE = 20_000

/** Elements that count how often they are looked at. */
class Counting {
  reads = 0
  element(a: number): Value {
    const count = (): void => {
      this.reads++
    }
    return {
      get a() {
        count()
        return a
      },
    }
  }
}

describe('a change costs what changes', () => {
  for (const shape of ['array', 'object'])
    test(`of one element in an ${shape}`, () => {
      const counting = new Counting()
      const elements = Array.from({ length: SIZE }, (_, i) => counting.element(i % 2))
      const rows = (
        shape === 'array' ? elements : Object.fromEntries(elements.map((one, i) => [`k${i}`, one]))
      ) as Record<string, Value>
      const key = shape === 'array' ? 7 : 'k7'
      const caches = new Caches()
      const index = caches.index('a')
      expect(index.find(rows, 1)).toHaveLength(SIZE / 2)
      counting.reads = 0
      caches.leaving(rows, key)
      rows[key] = counting.element(0)
      caches.entered(rows, key)
      expect(counting.reads).toBe(2)
      expect(index.find(rows, 1)).toHaveLength(SIZE / 2 - 1)
      expect(index.find(rows, 0)).toContain(key)
      expect(index.find(rows, 0)).toEqual([...index.find(rows, 0)!].sort(inOrder))
      expect(counting.reads).toBe(2)
    })

  test('lists of keys are made once', () => {
    const object: Record<string, Value> = {}
    for (let i = 0; i < SIZE; i++) object[`k${i}`] = i
    const caches = new Caches()
    let made = 0
    const list = (from: object): Value[] => {
      made++
      return Object.keys(from).sort()
    }
    for (const sorted of [true, false]) {
      const keys = (): readonly Value[] => caches.keys(object, list, sorted)
      expect(keys()).toHaveLength(SIZE)
      for (const [key, value] of [
        ['added', 1],
        ['k5', undefined],
        ['k6', 'another'],
      ] as const) {
        caches.leaving(object, key)
        if (value === undefined) delete object[key]
        else object[key] = value
        caches.entered(object, key)
      }
      const now = keys()
      expect(sorted ? now : [...now].sort()).toEqual(Object.keys(object).sort())
      for (const key of ['added', 'k5']) {
        caches.leaving(object, key)
        if (key === 'added') delete object[key]
        else object[key] = 5
        caches.entered(object, key)
      }
      expect([...keys()].sort()).toEqual(Object.keys(object).sort())
    }
    expect(made).toBe(2)
  })

  test('of members that stand there more than once', () => {
    const array: Value[] = Array.from({ length: SIZE }, (_, i) => i % 100)
    const caches = new Caches()
    const put = (at: number, value: Value): void => {
      caches.leaving(array, at)
      array[at] = value
      caches.entered(array, at)
    }
    expect(caches.member(5, array)).toBe(true)
    for (let i = 5; i < SIZE - 100; i += 100) put(i, 'x')
    expect(caches.member(5, array)).toBe(true)
    put(SIZE - 95, 'x')
    expect(caches.member(5, array)).toBe(false)
    expect(caches.member('x', array)).toBe(true)
    put(7, 5)
    expect(caches.member(5, array)).toBe(true)
  })
})

function inOrder(a: Value, b: Value): number {
  return a === b ? 0 : (a as number | string) < (b as number | string) ? -1 : 1
}
