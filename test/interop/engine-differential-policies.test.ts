/**
 * The policies that the repository hands out, in generated JavaScript, in OPA's WebAssembly and in OPA's own evaluator. All their Rego tests
 * are evaluated as ordinary rules, so that each input and each `with` of those tests is a case; then decisions on inputs that were changed.
 */
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createOpaCompiler } from '../../adapters/compiler/opa/index.ts'
import { loadFolder } from '../../adapters/policies/folder.ts'
import type { Json } from '../../core/json.ts'
import type { Sources } from '../../core/ports/compiler.ts'
import { root } from '../source.ts'
import { Dice } from './differential/dice.ts'
import { type Engines, open, oracle } from './differential/subjects.ts'
import { changed, reordered } from './differential/values.ts'

const compiler = createOpaCompiler()
afterAll(() => compiler.close())

type Document = { readonly [name: string]: Json }

/** Policies and their tests alike, so that what tests say can be asked for. */
async function sourcesWithTests(): Promise<Sources> {
  const files = Object.entries(await loadFolder(join(root, 'policies')))
  return Object.fromEntries(
    files.map(([path, text]) => [path.replace(/_test\.rego$/, '_held.rego'), text]),
  )
}

function packagesOf(sources: Sources, like: RegExp): readonly string[] {
  const names = Object.values(sources).flatMap((text) => /^package (\S+)$/m.exec(text)?.[1] ?? [])
  return [...new Set(names)].filter((name) => like.test(name)).map((n) => n.replaceAll('.', '/'))
}

let sources: Sources
let engines: Engines
let tests: readonly string[]
let deciding: readonly string[]
let said: ReadonlyMap<string, Document>

beforeAll(async () => {
  sources = await sourcesWithTests()
  tests = packagesOf(sources, /_test$/)
  deciding = ['access', 'announce', 'audit', 'capability', 'enrolment', 'lease', 'release']
  const entrypoints = [...tests, ...deciding.map((name) => `assay/${name}/decision`)]
  engines = await open(await compiler.build(sources, { capabilities: 'compat', entrypoints }))
  const [all = 'undefined'] = await oracle(compiler, sources, 'assay', [{}])
  const documents = JSON.parse(all) as Document
  said = new Map(tests.map((path) => [path, at(documents, path.split('/').slice(1))]))
}, 240_000)

function at(document: Document, path: readonly string[]): Document {
  return path.reduce((within, name) => (within[name] ?? {}) as Document, document)
}

describe('tests of the policies', () => {
  test('say in each engine what they say in OPA', async () => {
    let held = 0
    for (const path of tests) {
      // Functions have no value of their own, nor do rules that need an input.
      const wanted = JSON.stringify(said.get(path))
      expect({ path, told: engines.jit(path, {}) }).toEqual({ path, told: wanted })
      expect({ path, told: engines.wasm(path, {}) }).toEqual({ path, told: wanted })
      held += Object.entries(said.get(path)!).filter(
        ([name, is]) => /^test_/.test(name) && is === true,
      ).length
    }
    expect(held).toBeGreaterThan(500)
  }, 120_000)
})

describe('decisions on changed inputs', () => {
  test.each(['access', 'announce', 'audit', 'capability', 'enrolment', 'lease', 'release'])(
    'of %s',
    async (name) => {
      const dice = new Dice(name.length)
      const given = Object.values(said.get(`assay/${name}/given_test`)!).filter(isQuestion)
      expect(given.length).toBeGreaterThan(0)
      const inputs = Array.from({ length: 60 }, (_, i) => {
        const input = dice.pick(given)
        return i < given.length ? reordered(dice, given[i]!) : changed(dice, input)
      })
      const path = `assay/${name}/decision`
      const wanted = await oracle(compiler, sources, path, inputs)
      for (const [i, input] of inputs.entries()) {
        const told = { jit: engines.jit(path, input), wasm: engines.wasm(path, input) }
        expect({ input, ...told }).toEqual({ input, jit: wanted[i], wasm: wanted[i] })
      }
    },
    60_000,
  )
})

/** What a decision can be asked with. */
function isQuestion(value: Json): value is Document {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && 'request' in value
}
