/** Containers as literals and texts as concatenations say what the long way says. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { bundle } from '../../../test/rego.ts'
import { BUILTINS } from '../builtins/index.ts'
import { Decimal } from '../value/number.ts'
import { define, type PlainObject, type Value } from '../value/value.ts'
import { compilePlan, emitModule } from './program.ts'

const ENTRY = 'p/decision'
const FORMATS = ['%d', '%s', '%v', 'a%db', '%s/%v', '%d:%d', '', 'no directive', '%%', '100%', '%x']

test('sprintf in place is sprintf', async () => {
  const calls = FORMATS.flatMap((format, i) => [
    `"${i}-1": t(sprintf(${JSON.stringify(format)}, [input.a])),`,
    `"${i}-2": t(sprintf(${JSON.stringify(format)}, [input.a, input.b])),`,
  ])
  const bodies = calls.map((call) => `decision contains r if { r := {${call.slice(0, -1)}} }`)
  const { plan } = await bundle(`${bodies.join('\n')}\n\nt(x) := x`)
  expect(emitModule(plan)).toMatch(/"a"\+l\d+\+"b"/)
  const program = compilePlan(plan)
  const sprintf = BUILTINS.get('sprintf')!
  const context = { now: undefined, memo: new Map(), failure: undefined, spend() {} }
  const value = fc.oneof(
    fc.integer(),
    fc.string(),
    fc.constantFrom<Value>(0, -0, 2 ** 31, 2 ** 53 - 1, 1.5, 2n ** 70n, null, true, [1], {}),
    fc.constantFrom<Value>({ valueOf: 1, toString: 1 }, new Decimal(15n, 400)),
  )
  fc.assert(
    fc.property(value, value, (a, b) => {
      const said = program.evaluate(ENTRY, { a, b } as Value, {}) as unknown as {
        values(): readonly PlainObject[]
      }
      const found = new Map(said.values().flatMap((one) => Object.entries(one)))
      for (const [i, format] of FORMATS.entries()) {
        expect(found.get(`${i}-1`)).toBe(sprintf(context, format, [a as Value]))
        expect(found.get(`${i}-2`)).toBe(sprintf(context, format, [a as Value, b as Value]))
      }
    }),
    { numRuns: 300 },
  )
})

test('members of any name are own members', async () => {
  const { plan } = await bundle(
    'decision := {"__proto__": input.a, "constructor": [input.a, [input.b]], "1": {"x": input.b}, "": input.a}',
  )
  const inner = {}
  define(inner, '__proto__', 1)
  const answer = compilePlan(plan).evaluate(ENTRY, { a: inner, b: 2 }, {}) as PlainObject
  expect(Object.keys(answer).sort()).toEqual(['', '1', '__proto__', 'constructor'])
  expect(Object.getOwnPropertyDescriptor(answer, '__proto__')?.value).toBe(inner)
  expect(answer.constructor).toEqual([inner, [2]])
  expect(Object.getPrototypeOf(answer)).toBe(Object.prototype)
})

test('a list that is asked for again is made anew', async () => {
  const { plan } = await bundle(
    'decision := {"text": sprintf("%d", x), "list": x} if x := [input.a]\n\nothers := [sprintf("%d", [v]) | some v in input.many]',
    ['p/decision', 'p/others'],
  )
  const program = compilePlan(plan)
  expect(program.evaluate(ENTRY, { a: 1 }, {})).toEqual({ text: '1', list: [1] })
  expect(program.evaluate('p/others', { many: [1, 2, 3] }, {})).toEqual(['1', '2', '3'])
})
