import { describe, expect, test } from 'vitest'
import type { Json } from '../../../core/json.ts'
import type { Policy } from '../../../core/ports/engine.ts'
import { bundle, compiler } from '../../../test/rego.ts'
import { createWasmEngine } from './index.ts'

const engine = createWasmEngine()
const ask = (policy: Policy, value: Json): unknown =>
  policy.evaluate('p/decision', { value, text: JSON.stringify(value) })

/** Where OPA's runtime in C answers otherwise than OPA's evaluator, and a built-in of the shared library takes its place. */
describe('what OPA says', () => {
  const cases: readonly string[] = [
    'concat(",", {"b", "a"})',
    '$"{ {"b": 1, "a": 2} }"',
    'indexof("a", "")',
    'floor(-1 / 2)',
    'ceil(-1 / 2)',
    'glob.match("{a", [], "a")',
    'json.unmarshal("[1,]")',
    'json.is_valid("01")',
    'json.marshal({"b": 1, "a": 2})',
    'base64.decode("")',
    'base64.decode("YQ")',
    'sprintf("%v", [9007199254740993 - 0])',
    'sprintf("%v %d %s", [{"b", "a"}, 1.5, {[1]: {2}}])',
    '0.1 + 0.2 == 0.3',
    'replace("abc", "", "-")',
    '[[x, y] | some x, y in {"c": 1, "b": 2, "a": 3}]',
    '[x | some x in {"é", "z", "a", [1], 2, null, {"a": {1, 2}}, {"a": set()}}]',
    '[p | walk({"b": {"y": 1, "x": 2}, "a": [{3}]}, [p, _])]',
    '{x: y | some x, y in input.list}[2]',
    '[x | some x in object.keys({"b": 1, "a": 2, "10": 3, "9": 4})]',
    'count(numbers.range(1, 1000))',
    '1e30 * 10',
  ]
  for (const rego of cases)
    test(rego, async () => {
      const compat = { capabilities: 'compat', entrypoints: ['p/decision'] } as const
      const sources = { 'p.rego': `package p\n\ndecision := sprintf("%v", [${rego}])\n` }
      const made = await compiler.build(sources, compat)
      const input = { list: ['a', 'b', { c: 1 }] }
      const oracle = { capabilities: 'compat', entrypoint: 'p/decision', inputs: [input] } as const
      const [said] = await compiler.evaluate(sources, oracle)
      expect(said?.problem).toBeUndefined()
      expect(ask(await engine.load(made), input)).toEqual(said?.value)
    })

  test('nested iterations of one set, and of one that an input brings, are in order', async () => {
    const rego = `decision := [[x, y, z] | some x in names; some y in names; some z in {n | some n in input.names}]
names contains name if some name in data.names
names contains name if some name in input.names`
    const data = { names: Array.from({ length: 7 }, (_, i) => `name ${(i * 5) % 7}`) }
    const input = { names: ['zoe', 'ann', 'bob', 'name 3'] }
    const made = await bundle(rego, undefined, data)
    const sources = { ...made.sources, 'data.json': JSON.stringify(data) }
    const options = { capabilities: 'trust', entrypoint: 'p/decision', inputs: [input] } as const
    const [said] = await compiler.evaluate(sources, options)
    const policy = await engine.load(made)
    for (let i = 0; i < 3; i++) expect(ask(policy, input)).toEqual(said?.value)
  })
})

describe('an answer', () => {
  test('that would lose digits as JSON is a failed evaluation, and a string is none', async () => {
    const policy = await engine.load(
      await bundle(
        'decision := 9007199254740993 if input.n\n\ndecision := format_int(9007199254740993, 10) if input.s',
      ),
    )
    const failed = expect.objectContaining({ code: 'evaluation_failed' }) as Error
    expect(() => ask(policy, { n: 1 })).toThrow(failed)
    expect(ask(policy, { s: 1 })).toBe('9007199254740993')
  })

  test('that takes more steps than it may is none, and the next one is', async () => {
    const few = createWasmEngine({ maxSteps: 1000 })
    const policy = await few.load(await bundle('decision := count(numbers.range(1, input.n))'))
    const exhausted = expect.objectContaining({ code: 'budget_exhausted' }) as Error
    expect(() => ask(policy, { n: 1001 })).toThrow(exhausted)
    expect(ask(policy, { n: 1000 })).toBe(1000)
  })
})

describe('memory', () => {
  test('an instance that grew for one input is replaced, and none grows without bounds', async () => {
    const policy = await engine.load(await bundle('decision := count(input.list)'))
    const list = Array.from({ length: 300_000 }, (_, i) => `item number ${i}`)
    for (let i = 0; i < 5; i++) expect(ask(policy, { list })).toBe(list.length)
    expect(() =>
      ask(policy, { list: [...list, ...list, ...list, ...list, ...list, ...list] }),
    ).toThrow(expect.objectContaining({ code: 'budget_exhausted' }) as Error)
    expect(ask(policy, { list: [1] })).toBe(1)
  })

  test('data of 20 MB loads in time that grows with its size', async () => {
    const data = { ids: Array.from({ length: 500_000 }, (_, i) => `identifier-number-${i}`) }
    const made = await bundle('decision := input.id in data.ids', ['p/decision'])
    const started = performance.now()
    const policy = await engine.load({ ...made, data })
    expect(performance.now() - started).toBeLessThan(10_000)
    expect(ask(policy, { id: 'identifier-number-499999' })).toBe(true)
  })
})

describe('a module that calls what no engine has, or no policy may, is refused when it is loaded', () => {
  /** Compiled with a call of one built-in, whose name is then another one of the same length. */
  const calling = async (call: string, name: string, capabilities: 'compat' | 'trust') => {
    const made = await bundle(`decision := ${call}`)
    const wasm = made.wasm.slice()
    const before = `${call.slice(0, call.indexOf('('))}\0`
    wasm.set(Buffer.from(name), Buffer.from(wasm).indexOf(before))
    return { ...made, capabilities, wasm }
  }
  test.each([
    ['sprintf("%s", [input.n])', 'sprantf', 'compat'],
    ['uri.parse(input.n)', 'http.send', 'compat'],
    ['uri.parse(input.n)', 'rand.intn', 'trust'],
    ['uri.parse(input.n)', 'rand.intn', 'compat'],
    ['units.parse(input.n)', 'opa.runtime', 'compat'],
    ['units.parse(input.n)', 'time.now_ns', 'trust'],
    ['regex.globs_match(input.n, "a")', 'rego.parse_module', 'compat'],
  ] as const)('%s as %s in %s', async (call, name, capabilities) => {
    const refused = engine.load(await calling(call, name, capabilities))
    await expect(refused).rejects.toMatchObject({ code: 'invalid_bundle' })
  })

  test('the clock of compat is a fact', async () => {
    const compat = { capabilities: 'compat', entrypoints: ['p/decision'] } as const
    const rego = 'package p\n\ndecision := time.format(time.now_ns())\n'
    const policy = await engine.load(await compiler.build({ 'p.rego': rego }, compat))
    expect(ask(policy, { now: 1_795_269_600 })).toBe('2026-11-21T14:00:00Z')
    expect(ask(policy, { now: 1_795_269_600.25 })).toBe('2026-11-21T14:00:00.25Z')
    expect(ask(policy, {})).toBeUndefined()
  })
})
