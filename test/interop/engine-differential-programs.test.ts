/**
 * Random programs of Rego on random inputs: generated JavaScript, OPA's WebAssembly and OPA's own evaluator give one answer. Longer, or
 * from elsewhere: `SEEDS=500 SEED=1000 npx vitest run test/interop/engine-differential-programs.test.ts`.
 */
import { afterAll, describe, expect, test } from 'vitest'
import { createOpaCompiler } from '../../adapters/compiler/opa/index.ts'
import type { Json } from '../../core/json.ts'
import { batch } from './differential/batch.ts'
import { DATA } from './differential/data.ts'
import { KNOWN } from './differential/known.ts'
import { REGRESSIONS } from './differential/regressions.ts'
import { open, oracle, type Told } from './differential/subjects.ts'

const SEEDS = Number(process.env.SEEDS ?? 12)
const SEED = Number(process.env.SEED ?? 1)

const compiler = createOpaCompiler()
afterAll(() => compiler.close())

test(
  'random programs mean the same everywhere',
  async () => {
    const total = { programs: 0, refused: 0, compared: 0, errors: 0, known: 0 }
    for (let seed = SEED; seed < SEED + SEEDS; seed++) {
      const { differences, ...counts } = await batch(compiler, seed)
      expect({ seed, differences }).toEqual({ seed, differences: [] })
      for (const [name, count] of Object.entries(counts)) total[name as keyof typeof total] += count
    }
    console.log('random programs:', JSON.stringify(total))
    expect(total.compared).toBeGreaterThan(SEEDS * 50)
    // Most of what is compared is a value, and compared by all three.
    expect(total.errors).toBeLessThan(total.compared / 5)
    expect(total.known).toBeLessThan(total.compared / 5)
  },
  60_000 + SEEDS * 10_000,
)

/** What each says of rule `r` of package `p`. */
async function say(rego: string, input: Json): Promise<{ opa: Told; jit: Told; wasm: Told }> {
  const sources = { 'p.rego': `package p\n\n${rego}\n`, 'data.json': JSON.stringify(DATA) }
  const bundle = await compiler.build(sources, { capabilities: 'compat', entrypoints: ['p/r'] })
  const engines = await open(bundle)
  const [opa = ''] = await oracle(compiler, sources, 'p/r', [input])
  return { opa, jit: engines.jit('p/r', input), wasm: engines.wasm('p/r', input) }
}

test.each(REGRESSIONS)('$what', async ({ input, rego }) => {
  const { jit, opa, wasm } = await say(rego, input)
  expect(opa.length).toBeGreaterThan(0)
  expect({ jit, wasm }).toEqual({ jit: opa, wasm: opa })
})

describe('known differences', () => {
  test.each(KNOWN)('$reason', async ({ covers, example: { input, rego, ...told } }) => {
    const got = await say(rego, input)
    expect(got).toEqual(told)
    expect(covers({ rego, input, ...got })).toBe(true)
  })
})
