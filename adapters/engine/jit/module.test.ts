/** The text of a generated program: the same for the same plan, safe whatever the policy's strings are, and loadable without code from text. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Json } from '../../../core/json.ts'
import { bundle, compiler } from '../../../test/rego.ts'
import type { Value } from '../value/value.ts'
import { readPlan } from './plan.ts'
import { compilePlan, emitModule, loadModule } from './program.ts'
import type { ModuleFunction } from './runtime.ts'

const ENTRY = 'p/decision'
const RICH = `deny contains sprintf("%s", [x]) if { some x in input.xs; x in {"a", "b"}; not data.known[x] }
kind(x) := 1 if x == "a"
kind(x) := 2 if x == "b"
kind(x) := 3 if x == "c"
decision := {"deny": deny, "kinds": [kind(x) | some x in input.xs], "big": 123456789012345678901, "exact": 0.1}`

async function imported(text: string): Promise<ModuleFunction> {
  const loaded = (await import(
    /* @vite-ignore */ `data:text/javascript;base64,${Buffer.from(text).toString('base64')}`
  )) as { readonly default: ModuleFunction }
  return loaded.default
}

test('the same plan gives the same bytes, and another plan others', async () => {
  const { plan } = await bundle(RICH)
  const copy = JSON.parse(JSON.stringify(plan)) as Json
  expect(emitModule(copy)).toBe(emitModule(plan))
  expect(emitModule(plan, { trace: true })).toBe(emitModule(copy, { trace: true }))
  expect(emitModule((await bundle('decision := 2')).plan)).not.toBe(emitModule(plan))
})

test('a module is loaded without making code from text', async () => {
  const { plan } = await bundle(RICH)
  const text = emitModule(plan)
  expect(text).not.toMatch(/\b(eval|Function|import|require)\b/)
  const program = loadModule(plan, await imported(text))
  const input = { xs: ['a', 'c', 'b', 'a'] }
  expect(program.evaluate(ENTRY, input, { known: { b: true } })).toEqual(
    compilePlan(plan).evaluate(ENTRY, input, { known: { b: true } }),
  )
})

/** What would end the text that a string stands in, or mean something in it. */
const evil = fc.oneof(
  fc.constantFrom(
    '"',
    "'",
    '`',
    '\\',
    '\\"',
    '*/',
    '//',
    '</script>',
    '<!--',
    ']]>',
    '\u2028',
    '\u2029',
    '\0',
    '\n',
    '$' + '{x}',
    '__proto__',
    'constructor',
    'prototype',
    'length',
    "');throw 1;('",
    '"];throw 1;["',
    '\\u0022',
    'toString',
    'hasOwnProperty',
    '\u{1f600}',
    'a b',
    '0',
    '-1',
    '1e3',
  ),
  fc.string({ unit: 'binary', maxLength: 12 }).filter((text) => text.isWellFormed()),
)

describe('strings of the policy are strings of the program', () => {
  test('wherever they stand: values, keys, members, paths, file names', {
    timeout: 60_000,
  }, async () => {
    const { plan } = await bundle(
      'decision := {"v": "MARK", "in": input["MARK"], "set": {"MARK", "x"}, "obj": {"MARK": 1}, "dat": data["MARK"], "w": w, "is": is("MARK")}\n\nw := r if r := input with input["MARK"] as 1\n\nis(x) if x == "MARK"\nis(x) if x == "b"\nis(x) if x == "c"',
    )
    const text = JSON.stringify(plan)
    const property = fc.property(evil, (mark) => {
      const changed = JSON.parse(text, (_, value: unknown) =>
        value === 'MARK' || value === 'p/p.rego' ? mark : value,
      ) as Json
      const made = emitModule(changed)
      expect(made).toMatch(/^[\t\n\r\x20-\x7e]*$/)
      expect(made).not.toMatch(/<\/script|<!--/)
      const input = JSON.parse(
        JSON.stringify({ x: 1 }).replace('x', () => JSON.stringify(mark).slice(1, -1)),
      ) as Value
      const said = compilePlan(changed).evaluate(ENTRY, input, input) as {
        readonly [name: string]: Value
      }
      expect({ v: said.v, in: said.in, dat: said.dat, is: said.is }).toEqual({
        v: mark,
        in: 1,
        dat: 1,
        is: true,
      })
      expect(Object.entries(said.obj as object)).toEqual([[mark, 1]])
      expect(Object.entries(said.w as object)).toEqual([[mark, 1]])
      expect(({} as { polluted?: number }).polluted).toBeUndefined()
    })
    fc.assert(property, { numRuns: 300 })
  })

  test('names of packages, rules and entry points', async () => {
    const odd = '"]}; throw 1; //\u2028</script>'
    const sources = {
      'a.rego': `package p[${JSON.stringify(odd)}]\n\nx := {"v": data.p[${JSON.stringify(odd)}].y}\n\ny := input.n\n`,
    }
    const made = await compiler.build(
      { ...sources, 'q.rego': `package q\n\nx := data.p[${JSON.stringify(odd)}].x\n` },
      { capabilities: 'trust', entrypoints: ['q/x'] },
    )
    expect(compilePlan(made.plan).evaluate('q/x', { n: 7 }, {})).toEqual({ v: 7 })
    const renamed = JSON.parse(
      JSON.stringify(made.plan).replaceAll('q/x', () => JSON.stringify(odd).slice(1, -1)),
    ) as Json
    expect(compilePlan(renamed).entrypoints).toEqual([odd])
    expect(compilePlan(renamed).evaluate(odd, { n: 7 }, {})).toEqual({ v: 7 })
  })
})

describe('a plan that is none is refused', () => {
  test('damage anywhere never gets into a program', { timeout: 60_000 }, async () => {
    const { plan } = await bundle(RICH)
    const paths = pathsIn(plan)
    const bad = fc.constantFrom<Json>(
      '0;throw 1',
      '__proto__',
      -1,
      0.5,
      1e9,
      null,
      {},
      [],
      true,
      '}',
      { type: 'local', value: '0);throw 1;(' },
      { type: 'string_index', value: 99999 },
    )
    let accepted = 0
    const property = fc.property(fc.constantFrom(...paths), bad, (path, value) => {
      const damaged = replaced(plan, path, value)
      try {
        new Function(`return ${emitModule(damaged).slice('export default '.length)}`)
        accepted++
      } catch (error) {
        expect((error as Error).constructor.name).toBe('PlanError')
      }
    })
    fc.assert(property, { numRuns: 1500 })
    // Places and declared types are no part of the program.
    expect(accepted).toBeGreaterThan(0)
  })

  test('statements, operands and calls that nobody knows', async () => {
    const { plan } = await bundle('decision := count(input.x)')
    const text = JSON.stringify(plan)
    for (const [from, to] of [
      ['"CallStmt"', '"JumpStmt"'],
      ['"CallStmt"', '"constructor"'],
      ['"func":"count"', '"func":"uncounted"'],
      ['"type":"local"', '"type":"global"'],
    ] as const)
      expect(() => readPlan(JSON.parse(text.replace(from, to)) as Json)).toThrow()
    for (const none of [null, 1, 'x', [], {}, { plans: 1 }, { plans: { plans: [{}] } }] as const)
      expect(() => readPlan(none as Json)).toThrow()
  })
})

type Path = readonly (number | string)[]

function pathsIn(json: Json, path: Path = []): readonly Path[] {
  if (typeof json !== 'object' || json === null) return [path]
  return [
    path,
    ...Object.entries(json).flatMap(([name, member]) => pathsIn(member as Json, [...path, name])),
  ]
}

function replaced(json: Json, path: Path, value: Json): Json {
  const [name, ...rest] = path
  if (name === undefined) return value
  const copy = (Array.isArray(json) ? [...json] : { ...(json as object) }) as {
    [name: string]: Json
  }
  copy[name] = replaced(copy[name] as Json, rest, value)
  return copy as Json
}
