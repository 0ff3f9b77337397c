import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { callsOf, contextOf, differences, ours } from '../../../../test/builtins.ts'
import { mostly, numbers, scalars, texts, values } from '../../../../test/values.ts'
import { objectOf, RegoSet, type Value } from '../../value/value.ts'
import { BUILTINS } from '../index.ts'

const setOf = (members: fc.Arbitrary<Value>, maxLength: number): fc.Arbitrary<Value> =>
  fc.array(members, { maxLength }).map((list) => RegoSet.of(list))
const listOf = (members: fc.Arbitrary<Value>, maxLength: number): fc.Arbitrary<Value> =>
  fc.array(members, { maxLength })
const mapOf = (keys: fc.Arbitrary<Value>, members: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.array(fc.tuple(keys, members), { maxLength: 4 }).map(objectOf)

const set = mostly(setOf(scalars, 5))
const array = mostly(listOf(values, 5))
const object = mostly(mapOf(fc.oneof(texts, scalars), values))
const index = mostly(fc.integer({ min: -3, max: 8 }), numbers)
/** Few keys, so that paths meet. */
const key = fc.constantFrom<Value>('a', 'b', 'c', 0, 1, '0', '1')
const tree = fc.letrec<{ tree: Value }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<Value>('a', 1, null),
    listOf(tie('tree'), 3),
    setOf(tie('tree'), 3),
    mapOf(key, tie('tree')),
  ),
})).tree
const keyed = mostly(mapOf(key, tree))
const keys = mostly(listOf(key, 3), keyed)
const path = fc.oneof(
  fc.array(key, { minLength: 1, maxLength: 3 }).map((list) => list.join('/')),
  fc.array(key, { minLength: 1, maxLength: 3 }).map((list) => `/${list.join('/')}`),
  fc.array(key, { minLength: 1, maxLength: 3 }),
  fc.constantFrom<Value>('a~1b', '/', '-', 'a/-', '0/-', 'a~0'),
)
const paths = mostly(listOf(path, 3), setOf(path, 3), fc.constant(['']))
/** Not the empty path: OPA's own evaluator dies of a value that is removed as a whole. */
const operation = fc.record({
  op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'none'),
  path,
  from: path,
  value: tree,
})
const operations = mostly(listOf(operation as fc.Arbitrary<Value>, 3))
const node = fc.constantFrom<Value>('a', 'b', 'c', 'd', 1)
const graph = mostly(
  mapOf(node, fc.oneof(listOf(node, 3), setOf(node, 3), fc.constant<Value>(null))),
)
const starts = mostly(listOf(node, 2), setOf(node, 2))
const summed = mostly(listOf(numbers, 5), setOf(numbers, 5))

const TABLE = {
  equal: [values, values],
  neq: [values, values],
  lt: [values, values],
  lte: [values, values],
  gt: [values, values],
  gte: [values, values],
  and: [set, set],
  or: [set, set],
  minus: [set, set],
  intersection: [mostly(setOf(setOf(scalars, 3), 3))],
  union: [mostly(setOf(setOf(scalars, 3), 3))],
  count: [values],
  sum: [summed],
  product: [summed],
  max: [array],
  min: [array],
  sort: [array],
  'internal.member_2': [scalars, mostly(array, set, object)],
  'internal.member_3': [mostly(key), scalars, mostly(array, set, object)],
  'array.concat': [array, array],
  'array.flatten': [array],
  'array.reverse': [array],
  'array.slice': [array, index, index],
  'object.get': [keyed, mostly(key, listOf(key, 3)), values],
  'object.keys': [object],
  'object.remove': [keyed, keys],
  'object.filter': [keyed, keys],
  'object.union': [keyed, keyed],
  'object.union_n': [mostly(listOf(keyed, 4))],
  'object.subset': [mostly(tree), mostly(tree)],
  'json.filter': [keyed, paths],
  'json.remove': [keyed, paths],
  'json.patch': [mostly(tree), operations],
  'graph.reachable': [graph, starts],
  'graph.reachable_paths': [graph, starts],
  is_array: [values],
  is_number: [values],
  is_object: [values],
  is_set: [values],
  type_name: [values],
}

function say(name: string, ...operands: Value[]): string {
  return ours({ name, operands })
}

describe('built-ins of collections', () => {
  it('say what OPA says', { timeout: 60_000 }, async () => {
    expect(await differences(callsOf(TABLE, 12, 20_002))).toEqual([])
  })

  it('still know what version 1 of Rego has no more', () => {
    expect(say('set_diff', RegoSet.of([1, 2]), RegoSet.of([2]))).toBe('{1}')
    expect(say('any', [false, true])).toBe('true')
    expect(say('any', RegoSet.of([]))).toBe('false')
    expect(say('all', [true, 1])).toBe('false')
    expect(say('all', [])).toBe('true')
    expect(say('cast_set', [1, 1])).toBe('{1}')
    expect(say('cast_array', RegoSet.of([2, 1]))).toBe('[1, 2]')
    expect(say('cast_string', 1)).toBe('undefined')
  })

  it('walk goes through everything, with the path to it', () => {
    expect(say('walk', { a: [RegoSet.of(['x'])] })).toBe(
      '[[[], {"a": [{"x"}]}], [["a"], [{"x"}]], [["a", 0], {"x"}], [["a", 0, "x"], "x"]]',
    )
  })

  it('json.patch replaces the whole value, and fails where nothing is left', () => {
    const replaced = [{ op: 'replace', path: '', value: 2 }]
    expect(say('json.patch', { a: 1 }, replaced)).toBe('2')
    const context = contextOf()
    BUILTINS.get('json.patch')?.(context, { a: 1 }, [{ op: 'remove', path: '' }])
    expect(context.failure?.code).toBe('eval_builtin_error')
  })

  it('never change an operand', () => {
    const calls = callsOf(TABLE, 5, 20_003)
    for (const call of calls) {
      const before = JSON.stringify(call.operands, shape)
      ours(call)
      expect(JSON.stringify(call.operands, shape), call.name).toBe(before)
    }
  })

  it('count what grows faster than the operands', () => {
    const names = Array.from({ length: 12 }, (_, i) => `n${i}`)
    const complete = objectOf(names.map((name) => [name, names]))
    expect(() =>
      BUILTINS.get('graph.reachable_paths')?.(contextOf(10_000), complete, ['n0']),
    ).toThrow(RangeError)
    expect(() => BUILTINS.get('walk')?.(contextOf(10), complete)).toThrow(RangeError)
    const doubled = Array.from({ length: 60 }, () => ({ op: 'copy', from: '/a', path: '/a/-' }))
    expect(() => BUILTINS.get('json.patch')?.(contextOf(10_000), { a: [1] }, doubled)).toThrow(
      RangeError,
    )
    const long = Array.from({ length: 2_000 }, () => 'a')
    expect(() =>
      BUILTINS.get('object.subset')?.(contextOf(10_000), long, [...long.slice(1000), 'b']),
    ).toThrow(RangeError)
  })

  it('follows a path as long as the graph', () => {
    const links = Array.from({ length: 20_000 }, (_, i) => [`n${i}`, [`n${i + 1}`]] as const)
    expect(
      say(
        'count',
        BUILTINS.get('graph.reachable_paths')?.(contextOf(), objectOf(links), ['n0']) as Value,
      ),
    ).toBe('1')
  })

  it('keep names that objects of JavaScript have themselves', () => {
    const object = JSON.parse('{"__proto__": 1, "constructor": 2}')
    expect(say('object.remove', object, ['constructor'])).toBe('{"__proto__": 1}')
    expect(say('object.union', object, { a: 3 })).toBe('{"__proto__": 1, "a": 3, "constructor": 2}')
    expect(say('object.get', {}, 'constructor', 'none')).toBe('"none"')
    expect(say('graph.reachable', {}, ['constructor'])).toBe('set()')
    expect(say('json.filter', {}, ['toString'])).toBe('{}')
  })
})

function shape(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return `${value}n`
  return value instanceof RegoSet ? value.sorted() : value
}
