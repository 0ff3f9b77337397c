import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { brotliDecompressSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { canonicalJson } from '../../../core/canonical.ts'
import type { Sources } from '../../../core/ports/compiler.ts'
import { compiler } from '../../../test/rego.ts'
import { createOpaCompiler } from './index.ts'
import { sortSources } from './sources.ts'
import { CompilerThread } from './thread.ts'
import recorded from './vectors.json' with { type: 'json' }

const sha256 = (data: string | Uint8Array): string =>
  createHash('sha256').update(data).digest('hex')
const beside = (name: string): Buffer => readFileSync(new URL(name, import.meta.url))
const P = { 'p.rego': 'package p\n\ndecision := input.x\n' }
const BUILD = { capabilities: 'trust', entrypoints: ['p/decision'] } as const

test('opa.wasm.br unpacks to what opa.wasm.sha256 says', () => {
  const digest = beside('opa.wasm.sha256').toString('utf8').trim()
  expect(sha256(brotliDecompressSync(beside('opa.wasm.br')))).toBe(digest)
})

describe("opa build's own output", () => {
  for (const { name, sources, entrypoints, wasm, plan } of recorded.vectors)
    test(name, async () => {
      const options = { capabilities: 'trust', entrypoints } as const
      const made = await compiler.build(sources as unknown as Sources, options)
      expect(sha256(made.wasm)).toBe(wasm)
      expect(sha256(canonicalJson(made.plan))).toBe(plan)
    })
})

describe('the syntax tree', () => {
  const text = `package p

# METADATA
# title: Why
default allow := false

# METADATA
# entrypoint: true
allow if {
	"é" == input.name; count(input.x) > 1
}
`

  test('has the place, counted in characters, and the text of every node', async () => {
    const { 'p.rego': tree } = (await compiler.syntax({ 'p.rego': text })) as unknown as {
      'p.rego': Tree
    }
    const [, rule] = tree.rules
    expect(rule?.location).toMatchObject({ row: 9, col: 1 })
    const places = rule?.body.map(({ location: { col, row, text: base64 } }) => [
      row,
      col,
      Buffer.from(base64, 'base64').toString('utf8'),
    ])
    expect(places).toEqual([
      [10, 2, '"é" == input.name'],
      [10, 21, 'count(input.x) > 1'],
    ])
    expect(rule?.annotations).toEqual([expect.objectContaining({ entrypoint: true })])
    expect(tree.rules[0]).toMatchObject({
      default: true,
      annotations: [{ title: 'Why', scope: 'rule' }, { scope: 'document' }],
    })
  })

  test('is there for tests too, is empty for nothing, and refuses what does not parse', async () => {
    const sources = { ...P, 'p_test.rego': 'package p_test\n', 'data.json': '{}' }
    expect(Object.keys(await compiler.syntax(sources)).sort()).toEqual(['p.rego', 'p_test.rego'])
    expect(await compiler.syntax({})).toEqual({})
    await expect(compiler.syntax({ 'p.rego': 'package p\n\nx :=\n' })).rejects.toMatchObject({
      code: 'invalid_policy',
      problems: expect.arrayContaining([expect.objectContaining({ file: 'p.rego', row: 4 })]),
    })
  })

  interface Tree {
    readonly rules: readonly {
      readonly location: object
      readonly annotations?: readonly object[]
      readonly body: readonly { readonly location: { row: number; col: number; text: string } }[]
    }[]
  }
})

test("OPA's evaluator answers, is undefined, or says what stopped it", async () => {
  const sources = {
    'p.rego': 'package p\n\ndecision := 1 if input.a\n\ndecision := data.q.two if input.b\n',
    'q/data.json': '{"two":2}',
  }
  const inputs = [{ a: true }, { b: true }, {}, { a: true, b: true }]
  const options = { capabilities: 'trust', entrypoint: 'p/decision', inputs } as const
  const said = await compiler.evaluate(sources, options)
  expect(said.slice(0, 3)).toEqual([{ value: 1 }, { value: 2 }, {}])
  expect(said[3]?.problem).toMatchObject({ code: 'eval_conflict_error', file: 'p.rego' })
})

describe('the thread', () => {
  test('a program that broke down is replaced', async () => {
    const own = createOpaCompiler()
    const deep = { 'p.rego': `package p\n\nx := ${'['.repeat(200_000)}${']'.repeat(200_000)}\n` }
    await expect(own.build(deep, BUILD)).rejects.toMatchObject({ code: 'unavailable' })
    expect((await own.build(P, BUILD)).entrypoints).toEqual(['p/decision'])
    await own.close()
  })

  test('a request that it does not know is its own fault, not the policy author’s', async () => {
    const thread = new CompilerThread(60_000, 1000)
    const ask = thread.ask({ op: 'nonsense' as 'build', modules: {} })
    await expect(ask).rejects.toMatchObject({ code: 'unavailable' })
    await thread.close()
  })

  test('it is let go when nobody asks, and comes back', async () => {
    const own = createOpaCompiler({ idleMs: 20 })
    const first = await own.build(P, BUILD)
    await new Promise((done) => setTimeout(done, 300))
    expect((await own.build(P, BUILD)).digest).toBe(first.digest)
    await own.close()
  })

  test('closing ends what is under way', async () => {
    const own = createOpaCompiler()
    const pending = own.build(P, BUILD).catch((error: { code: string }) => error.code)
    await own.close()
    expect(await pending).toBe('closed')
  })
})

describe('data', () => {
  const dataOf = (sources: Sources): unknown => sortSources(sources).data

  test('lies where its folder is, as in an OPA bundle', () => {
    const sources = { 'data.json': '{"a":{"x":1}}', 'a/b/data.json': '[1]', 'c/data.json': '"t"' }
    expect(dataOf(sources)).toEqual({ a: { x: 1, b: [1] }, c: 't' })
  })

  test('names that JavaScript knows are names', () => {
    const sources = { 'data.json': '{"__proto__":{"a":1}}', '__proto__/b/data.json': '{"c":2}' }
    expect(canonicalJson(sortSources(sources).data)).toBe('{"__proto__":{"a":1,"b":{"c":2}}}')
    expect(({} as { a?: number }).a).toBeUndefined()
  })

  test('what does not fit together is named, once for each file', () => {
    const sources = {
      'a/data.json': '1',
      'data.json': '{"a":2}',
      'b/data.json': 'x',
      'c/d.json': '1',
    }
    expect(sortSources(sources).problems.map(({ code, file }) => [code, file])).toEqual([
      ['invalid_data', 'b/data.json'],
      ['unknown_file', 'c/d.json'],
      ['data_conflict', 'data.json'],
    ])
  })
})
