import { describe, expect, test } from 'vitest'
import type { Json } from '../../../core/json.ts'
import type { Policy } from '../../../core/ports/engine.ts'
import { bundle, compiler } from '../../../test/rego.ts'
import { createWasmEngine } from './index.ts'
import { sprintf, UnsupportedFormat } from './sprintf.ts'
import { elements, UnsupportedTerm } from './terms.ts'

const engine = createWasmEngine()
const ask = (policy: Policy, value: Json): unknown =>
  policy.evaluate('p/decision', { value, text: JSON.stringify(value) })

describe('sprintf', () => {
  const formats: readonly (readonly [string, string, string])[] = [
    ['%s and %v', '["a",{"b"}]', 'a and {"b"}'],
    ['%d%%', '[12]', '12%'],
    ['%5d|%-5d|%05d|', '[-42,-42,-42]', '  -42|-42  |-0042|'],
    ['%4s|%-4v|', '["é","😀"]', '   é|😀   |'],
    ['%v', '[{"c","a","b",2,null,true,false}]', '{null, false, true, 2, "a", "b", "c"}'],
    ['%v', '[{"b":[1,{"x":set()}],"a":{}}]', '{"a": {}, "b": [1, {"x": set()}]}'],
    ['%v', '["a,b]\\"{"]', 'a,b]"{'],
    ['%v', '[["a,b]"]]', '["a,b]"]'],
    ['%v %v', '[1.5,0.25]', '1.5 0.25'],
    ['%d', '[123456789012345678901234567890]', '123456789012345678901234567890'],
    ['%d %s', '["a",1]', '%!d(string=a) %!s(int64=1)'],
    ['%s %s', '["a"]', 'a %!s(MISSING)'],
    ['%s', '["a","b",3]', 'a%!(EXTRA string=b, int64=3)'],
    ['', '[]', ''],
    ['%s', '["\\ud83d\\ude00\\u0000"]', '😀\0'],
  ]
  for (const [format, terms, text] of formats)
    test(`${format} of ${terms}`, () => expect(sprintf(format, terms)).toBe(text))

  test('refuses what it would only approximate', () => {
    for (const [format, terms] of [
      ['%x', '[1]'],
      ['%.2f', '[1.5]'],
      ['%', '[]'],
      ['%+d', '[1]'],
      ['%05s', '["a"]'],
      ['%v', '[1e30]'],
      ['%v', '[0.00001]'],
      ['%9s', '[1]'],
      ['%s', '[123456789012345678901234567890]'],
    ] as const)
      expect(() => sprintf(format, terms), format).toThrow(UnsupportedFormat)
    for (const terms of ['[["\\n"]]', '[{[1],[2]}]', '[["\u00ad"]]'])
      expect(() => elements(terms), terms).toThrow(UnsupportedTerm)
  })

  test('what it refuses is a failed evaluation', async () => {
    const policy = await engine.load(await bundle('decision := sprintf("%x", [input.n])'))
    expect(() => ask(policy, { n: 1 })).toThrow(
      expect.objectContaining({ code: 'evaluation_failed' }) as Error,
    )
  })
})

/** Where OPA's WebAssembly runtime differs from OPA's evaluator: what it says instead, so that a change is noticed. */
describe('known differences', () => {
  const differences: readonly (readonly [
    rego: string,
    opa: Json | undefined,
    here: Json | undefined,
  ])[] = [
    ['concat(",", {"b", "a"})', 'a,b', 'b,a'],
    ['$"{ {"b": 1, "a": 2} }"', '{"a": 2, "b": 1}', '{"b": 1, "a": 2}'],
    ['indexof("a", "")', undefined, 0],
    ['floor(-1 / 2)', 0, -1],
    ['ceil(-1 / 2)', 1, 0],
    ['glob.match("{a", [], "a")', undefined, true],
    ['json.unmarshal("[1,]")', undefined, [1]],
    ['json.is_valid("01")', false, true],
    ['json.marshal({"b": 1, "a": 2})', '{"a":2,"b":1}', '{"b":1,"a":2}'],
    ['base64.decode("")', '', undefined],
    ['base64.decode("YQ")', undefined, 'a'],
    ['9007199254740993 - 0', 9007199254740992, 9007199254740992],
  ]
  for (const [rego, opa, here] of differences)
    test(rego, async () => {
      const compat = { capabilities: 'compat', entrypoints: ['p/decision'] } as const
      const sources = { 'p.rego': `package p\n\ndecision := ${rego}\n` }
      const made = await compiler.build(sources, compat)
      const oracle = { capabilities: 'compat', entrypoint: 'p/decision', inputs: [{}] } as const
      const [said] = await compiler.evaluate(sources, oracle)
      expect(said?.value).toEqual(opa)
      expect(ask(await engine.load(made), {})).toEqual(here)
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

test('a module that calls what the engine does not have is refused when it is loaded', async () => {
  const made = await bundle('decision := sprintf("%s", [input.n])')
  const wasm = made.wasm.slice()
  const at = Buffer.from(wasm).indexOf('sprintf\0')
  wasm.set(Buffer.from('sprantf'), at)
  await expect(engine.load({ ...made, wasm })).rejects.toMatchObject({ code: 'invalid_bundle' })
})
