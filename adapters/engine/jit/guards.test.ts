/** What the engine refuses, and that the next evaluation is right. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { EngineErrorCode } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Policy } from '../../../core/ports/engine.ts'
import { bundle, compiler } from '../../../test/rego.ts'
import { createJitEngine, type JitEngineOptions } from './index.ts'

const ENTRY = 'p/decision'

async function load(rego: string, options: JitEngineOptions = {}, data?: Json): Promise<Policy> {
  return createJitEngine(options).load(await bundle(rego, undefined, data))
}

function ask(policy: Policy, value: unknown, text = '{}'): unknown {
  try {
    return policy.evaluate(ENTRY, { value: value as Json, text })
  } catch (error) {
    return (error as { code: EngineErrorCode }).code
  }
}

const ECHO = 'decision := {"v": input.v}'
const circle: { v?: unknown } = {}
circle.v = circle
const deep = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
const hostile: Readonly<Record<string, unknown>> = {
  'a getter': {
    get v() {
      return 1
    },
  },
  'a proxy': { v: new Proxy({}, {}) },
  'a proxy of an array': { v: new Proxy([], {}) },
  'a circle': circle,
  NaN: { v: Number.NaN },
  infinity: { v: -Infinity },
  undefined: { v: undefined },
  'undefined in an array': { v: [undefined] },
  'a function': { v: () => 1 },
  'a symbol': { v: Symbol('s') },
  'a symbol as a name': { [Symbol('s')]: 1 },
  'a bigint': { v: 1n },
  'a date': { v: new Date(0) },
  'a map': { v: new Map() },
  'an object of a class': { v: new (class A {})() },
  'another prototype': { v: Object.create({ a: 1 }) },
  'a boxed text': { v: Object('text') },
  gaps: { v: new Array(2) },
  'an array with members': { v: Object.assign([1], { x: 1 }) },
  'an array with as many members as gaps': { v: Object.assign(new Array(1), { x: 1 }) },
  'something that cannot be enumerated': Object.defineProperty({}, 'v', { value: 1 }),
  'half a surrogate pair': { v: 'a\ud800' },
  'half a surrogate pair as a name': { v: { 'a\udc00': 1 } },
  'too deep': { v: deep(1001) },
}

describe('what is no JSON is no input', () => {
  for (const [name, value] of Object.entries(hostile))
    test(name, async () => {
      const policy = await load(ECHO)
      expect(ask(policy, value)).toBe('invalid_input')
      expect(ask(policy, { v: [1] })).toEqual({ v: [1] })
    })

  test('what looks odd and is JSON is taken', async () => {
    const policy = await load(ECHO)
    const own = JSON.parse('{"__proto__":1,"constructor":[],"length":null,"toString":{}}') as object
    const bare = Object.assign(Object.create(null) as object, { a: 1 })
    expect(JSON.stringify(ask(policy, { v: own }))).toBe(JSON.stringify({ v: own }))
    expect(ask(policy, { v: bare })).toEqual({ v: { a: 1 } })
    expect(ask(policy, { v: deep(990) })).toEqual({ v: deep(990) })
    expect(Object.is((ask(policy, { v: -0 }) as { v: number }).v, 0)).toBe(true)
    for (const value of [null, 1, 'x', [], true]) expect(ask(policy, value)).toBeUndefined()
  })

  test('a value that was looked at is looked at again, unless it cannot change', async () => {
    const policy = await load(ECHO)
    const inner = { x: 1 as unknown }
    const input = Object.freeze({ v: inner })
    expect(ask(policy, input)).toEqual({ v: { x: 1 } })
    inner.x = Number.NaN
    expect(ask(policy, input)).toBe('invalid_input')
    const fixed = Object.freeze({ v: Object.freeze([Object.freeze({ x: 1 })]) })
    for (const _ of [1, 2, 3]) expect(ask(policy, fixed)).toEqual({ v: [{ x: 1 }] })
  })

  test('integers beyond 2^53 - 1 come from the text, digit by digit', async () => {
    const policy = await load('decision := [input.n == 9007199254740993, sprintf("%v", [input.n])]')
    const text = '{"n":9007199254740993}'
    expect(ask(policy, JSON.parse(text), text)).toEqual([true, '9007199254740993'])
  })

  test('who vouches for the inputs pays for none that the policy does not read', async () => {
    const policy = await load('decision := input.a', { checkInputs: false })
    const unread = {
      a: 1,
      get b(): never {
        throw new Error('read')
      },
    }
    expect(ask(policy, unread)).toBe(1)
  })
})

describe('bounds', () => {
  const PAIRS = 'decision := count([1 | some x in input.xs; some y in input.xs; x == y])'
  const many = Array.from({ length: 300 }, (_, i) => i)

  test('steps run out, and the next evaluation has all of them', async () => {
    const policy = await load(PAIRS, { maxSteps: 10_000 })
    for (const _ of [1, 2, 3]) {
      expect(ask(policy, { xs: many })).toBe('budget_exhausted')
      expect(ask(policy, { xs: many.slice(0, 50) })).toBe(50)
    }
  })

  test('functions that call each other many times count, and so does what built-ins do', async () => {
    const doubling = Array.from({ length: 24 }, (_, i) => `f${i + 1}(x) := f${i}(x) + f${i}(x + 1)`)
    const policy = await load(`f0(x) := x\n${doubling.join('\n')}\ndecision := f24(input.x)`, {
      maxSteps: 100_000,
    })
    expect(ask(policy, { x: 1 })).toBe('budget_exhausted')
    const range = await load('decision := count(numbers.range(1, input.n))', { maxSteps: 10_000 })
    expect(ask(range, { n: 1_000_000 })).toBe('budget_exhausted')
    expect(ask(range, { n: 100 })).toBe(100)
  })

  test('looking through a long list for each of many is work that counts', async () => {
    const policy = await load('decision := count([1 | some x in input.xs; x in input.ys])', {
      maxSteps: 10_000,
    })
    const ys = Array.from({ length: 5000 }, (_, i) => i)
    expect(ask(policy, { xs: many, ys })).toBe('budget_exhausted')
    expect(ask(policy, { xs: many, ys: ys.slice(0, 60) })).toBe(60)
  })

  const doubled = (name: string, args: (from: string) => string): string =>
    Array.from(
      { length: 32 },
      (_, i) => `x${i} := ${i === 0 ? 'input.x' : `${name}(${args(`x${i - 1}`)})`}`,
    ).join('\n\t')
  for (const [name, body] of Object.entries({
    'a range': 'x := numbers.range(1, 1e8)',
    'a range of large integers': 'x := numbers.range(1e17, 1e17 + 1e7)',
    'a comprehension': 'x := [[a, b, c] | some a in input.x; some b in input.x; some c in input.x]',
    concat: doubled('array.concat', (from) => `${from}, ${from}`),
    flatten: doubled('array.flatten', (from) => `[${from}, ${from}]`),
  }))
    test(`by default what fills memory ends: ${name}`, async () => {
      const policy = await load(`decision if {\n\t${body}\n\tinput.more\n}`)
      const x = Array.from({ length: 1000 }, (_, i) => i)
      const before = process.memoryUsage().rss
      expect(ask(policy, { x, more: true })).toBe('budget_exhausted')
      expect(process.memoryUsage().rss - before).toBeLessThan(2 ** 30)
      expect(ask(policy, { x: [], more: false })).not.toBe('invalid_input')
    }, 30_000)

  test('what is computed from data alone has steps of its own: the first answer is that of all others', async () => {
    const rego =
      'pairs := [1 | some x in data.xs; some y in data.xs]\ndecision := count(pairs) + count([1 | some x in input.xs; some y in input.xs])'
    const policy = await load(rego, { maxSteps: 12_000 }, { xs: many.slice(0, 100) })
    expect(ask(policy, { xs: many.slice(0, 100) })).toBe(20_000)
    expect(ask(policy, { xs: many.slice(0, 100) })).toBe(20_000)
  })

  test('values too deep to be compared fail, and the next evaluation is right', async () => {
    const policy = await load('decision := count({x | some x in input.xs})', { checkInputs: false })
    const xs = [deep(200_000), deep(200_001)]
    for (const _ of [1, 2]) {
      expect(ask(policy, { xs })).toBe('evaluation_failed')
      expect(ask(policy, { xs: [1, 1, 2] })).toBe(2)
    }
    const same = await load('decision := input.a == input.b', { checkInputs: false })
    expect(ask(same, { a: deep(200_000), b: deep(200_000) })).toBe('evaluation_failed')
    const back = await load('decision := input', { checkInputs: false })
    expect(ask(back, deep(200_000))).toBe('evaluation_failed')
    expect(ask(back, [1])).toEqual([1])
  })
})

describe('prototypes that something was put into', () => {
  for (const [name, prototype] of Object.entries({
    Object: Object.prototype,
    Array: Array.prototype,
  }))
    test(`${name}.prototype`, async () => {
      const policy = await load('default decision := "no"\n\ndecision := "yes" if input.admin', {
        checkInputs: false,
      })
      Object.assign(prototype, { admin: true })
      let said: unknown
      try {
        said = ask(policy, {})
      } finally {
        Reflect.deleteProperty(prototype, 'admin')
      }
      expect(said).toBe('evaluation_failed')
      expect(ask(policy, {})).toBe('no')
      expect(ask(policy, { admin: true })).toBe('yes')
    })

  for (const [name, prototype, user, enumerable] of [
    ['Object', Object.prototype, {}, false],
    ['String', String.prototype, 'ann', true],
    ['Number', Number.prototype, 1, true],
    ['Boolean', Boolean.prototype, true, true],
  ] as const)
    test(`${name}.prototype, where an input is looked at`, async () => {
      const policy = await load('default decision := "no"\n\ndecision := "yes" if input.user.admin')
      Object.defineProperty(prototype, 'admin', { value: true, configurable: true, enumerable })
      let said: unknown
      try {
        said = ask(policy, { user })
      } finally {
        Reflect.deleteProperty(prototype, 'admin')
      }
      expect(said).toBe('evaluation_failed')
      expect(ask(policy, { user })).toBe('no')
    })
})

test('a name that everything inherits is noticed when a policy is loaded that reads it', async () => {
  const made = await bundle('default decision := "no"\n\ndecision := "yes" if input.admin')
  Object.defineProperty(Object.prototype, 'admin', { value: true, configurable: true })
  let loaded: Promise<unknown>
  try {
    loaded = createJitEngine().load(made)
    await loaded.catch(() => undefined)
  } finally {
    Reflect.deleteProperty(Object.prototype, 'admin')
  }
  await expect(loaded).rejects.toMatchObject({ code: 'invalid_bundle' })
})

describe('what a bundle may ask for', () => {
  const compat = (rego: string) =>
    compiler.build(
      { 'p.rego': `package p\n\n${rego}\n` },
      { capabilities: 'compat', entrypoints: [ENTRY] },
    )

  test('the clock is the fact that the input has, in compat only', async () => {
    const made = await compat('decision := {"t": time.now_ns()}')
    const policy = await createJitEngine().load(made)
    expect(ask(policy, { now: 1_700_000_000 })).toEqual({ t: 1_700_000_000_000_000_000 })
    expect(ask(policy, {})).toBeUndefined()
    expect(ask(policy, { now: 'noon' })).toBeUndefined()
    const text = await createJitEngine().load(
      await compat('decision := sprintf("%d", [time.now_ns()])'),
    )
    expect(ask(text, { now: 1_700_000_000 })).toBe('1700000000000000000')
    expect(ask(text, { now: 1_700_000_000.123456 })).toBe('1700000000123456000')
    expect(ask(text, { now: -0.0000000019 })).toBe('-1')
    const claimed = createJitEngine().load({ ...made, capabilities: 'trust' })
    await expect(claimed).rejects.toMatchObject({ code: 'invalid_bundle' })
  })

  test('chance, the process and what nobody knows are refused, by name', async () => {
    const made = await compat('decision := 1')
    const plan = made.plan as { static: object }
    for (const name of [
      'rand.intn',
      'opa.runtime',
      'http.send',
      'no.such',
      '__proto__',
      'constructor',
    ]) {
      const asks = {
        ...plan,
        static: { ...plan.static, builtin_funcs: [{ name, decl: {} }] },
      } as unknown as Json
      const refused = createJitEngine().load({ ...made, plan: asks })
      await expect(refused).rejects.toMatchObject({ code: 'invalid_bundle' })
      await expect(refused).rejects.toThrow(name)
    }
  })

  test('a failing built-in is undefined, and in strict mode the end', async () => {
    const rego = 'default decision := "none"\n\ndecision := 1 / input.n'
    expect(ask(await load(rego), { n: 0 })).toBe('none')
    const strict = await load(rego, { strict: true })
    expect(ask(strict, { n: 0 })).toBe('evaluation_failed')
    expect(() => strict.evaluate(ENTRY, { value: { n: 0 }, text: '{"n":0}' })).toThrow(
      'eval_builtin_error',
    )
    expect(ask(strict, { n: 2 })).toBe(0.5)
  })
})

describe('data by revision', () => {
  const rego = `owners := {w.owner | some w in data.works}
limit := data.limits.max
mine := [w.id | some w in data.works; w.owner == input.o]
decision := {"known": input.o in owners, "max": limit, "mine": mine, "listed": input.o in data.list}`
  const works = Array.from({ length: 20 }, (_, i) => ({ id: i, owner: `o${i % 5}` }))
  const data = {
    works,
    limits: { max: 3 },
    list: Array.from({ length: 20 }, (_, i) => `o${i + 3}`),
  }

  test('each revision answers from its own data, in whatever order they are asked', async () => {
    const first = await load(rego, {}, data as unknown as Json)
    const answer = { known: true, max: 3, mine: [1, 6, 11, 16], listed: false }
    expect(ask(first, { o: 'o1' })).toEqual(answer)
    const second = await first.patch(
      [
        { op: 'replace', path: '/works/6/owner', value: 'new' },
        { op: 'add', path: '/list/0', value: 'o1' },
      ],
      'sha256:2',
    )
    const third = await second.patch(
      [{ op: 'replace', path: '/limits', value: { max: 4 } }],
      'sha256:3',
    )
    const changed = { ...answer, mine: [1, 11, 16], listed: true }
    for (const _ of [1, 2, 3]) {
      expect(ask(third, { o: 'o1' })).toEqual({ ...changed, max: 4 })
      expect(ask(first, { o: 'o1' })).toEqual(answer)
      expect(ask(first, { o: 'new' })).toMatchObject({ known: false, mine: [] })
      expect(ask(second, { o: 'o1' })).toEqual(changed)
      expect(ask(second, { o: 'new' })).toMatchObject({ known: true, mine: [6] })
    }
    expect([first.revision, second.revision, third.revision].slice(1)).toEqual([
      'sha256:2',
      'sha256:3',
    ])
    await second.close()
    expect(ask(first, { o: 'o1' })).toEqual(answer)
    expect(() => second.patch([], 'x')).toThrow('closed')
  })

  test('random changes leave nothing behind that was computed before them', async () => {
    const operation = fc.record({
      op: fc.constant('replace' as const),
      path: fc.constantFrom(
        '/works/0/owner',
        '/works/7',
        '/limits/max',
        '/list/3',
        '/works',
        '/limits',
        '',
      ),
      n: fc.nat(4),
    })
    const valueAt = (path: string, n: number): Json => {
      const few = data.works.slice(n * 4).map((w) => ({ ...w, owner: `o${(w.id + n) % 5}` }))
      const whole = { works: few, limits: { max: n }, list: data.list.slice(n) }
      const values: Record<string, unknown> = {
        '/works': [...few, ...data.works],
        '/limits': { max: n },
        '/works/7': { id: 99, owner: `o${n}` },
        '/limits/max': n,
        '': { ...data, ...whole, works: data.works },
      }
      return (values[path] ?? `o${n}`) as Json
    }
    const first = await load(rego, {}, data as unknown as Json)
    const property = fc.asyncProperty(
      fc.array(operation, { maxLength: 6 }),
      fc.nat(4),
      async (operations, o) => {
        let policy = first
        const patches = operations.map(({ op, path, n }) => [{ op, path, value: valueAt(path, n) }])
        for (const patch of patches) {
          policy = await policy.patch(patch, 'r')
          ask(policy, { o: 'o1' })
        }
        const fresh = await (await load(rego, {}, data as unknown as Json)).patch(
          patches.flat(),
          'r',
        )
        const input = { o: `o${o}` }
        expect(ask(policy, input)).toEqual(ask(fresh, input))
      },
    )
    await fc.assert(property, { numRuns: 60 })
  }, 60_000)

  test('a change that does not fit changes nothing', async () => {
    const policy = await load(rego, {}, data as unknown as Json)
    expect(() => policy.patch([{ op: 'remove', path: '/none' }], 'x')).toThrow(
      expect.objectContaining({ code: 'invalid_patch' }),
    )
    expect(ask(policy, { o: 'o1' })).toMatchObject({ max: 3 })
  })
})
