/** One policy in three evaluators: generated JavaScript, OPA's WebAssembly, and OPA itself. */
import type { OpaCompiler } from '../../../adapters/compiler/opa/index.ts'
import {
  BudgetExhausted,
  compilePlan,
  PolicyFailure,
  type Program,
} from '../../../adapters/engine/jit/index.ts'
import { parseValue, writeJson } from '../../../adapters/engine/value/json.ts'
import type { Value } from '../../../adapters/engine/value/value.ts'
import { prepare } from '../../../adapters/engine/wasm/image.ts'
import { type Image, instantiate, PolicyAbort } from '../../../adapters/engine/wasm/instance.ts'
import { canonicalJson } from '../../../core/canonical.ts'
import type { Json } from '../../../core/json.ts'
import type { Bundle, CapabilitySet, Sources } from '../../../core/ports/compiler.ts'

/** Canonical JSON of the value, `undefined`, or OPA's code of an error after a `!`. */
export type Told = string

export interface Engines {
  jit(entrypoint: string, input: Json): Told
  wasm(entrypoint: string, input: Json): Told
}

/** One clock for all: `time.now_ns` is in no generated program, and no policy that decides asks another clock than its input. */
export async function open(bundle: Bundle): Promise<Engines> {
  const program = compilePlan(bundle.plan)
  const data = parseValue(JSON.stringify(bundle.data))
  const image = await prepare(bundle, { refused: new Set(), maxSteps: 10_000_000 })
  return {
    jit: (entrypoint, input) => jit(program, data, entrypoint, input),
    wasm: (entrypoint, input) => wasm(image, entrypoint, input),
  }
}

function jit(program: Program, data: Value, entrypoint: string, input: Json): Told {
  try {
    return told(program.evaluate(entrypoint, parseValue(JSON.stringify(input)), data))
  } catch (error) {
    if (error instanceof PolicyFailure) return `!${error.code}`
    if (error instanceof BudgetExhausted) return '!budget_exhausted'
    throw error
  }
}

/** What OPA's own tests of its WebAssembly take for a conflict. */
const CONFLICT = /var assignment conflict|object insert conflict/

function wasm(image: Image, entrypoint: string, input: Json): Told {
  try {
    return told(instantiate(image).evaluate(JSON.stringify(input), entrypoint))
  } catch (error) {
    if (error instanceof PolicyAbort && CONFLICT.test(error.message)) return '!eval_conflict_error'
    if (error instanceof WebAssembly.RuntimeError) return '!trap'
    throw error
  }
}

function told(value: Value | undefined): Told {
  return value === undefined ? 'undefined' : canonicalJson(JSON.parse(writeJson(value)) as Json)
}

/** OPA's answers, in the order of `inputs`. */
export async function oracle(
  compiler: OpaCompiler,
  sources: Sources,
  entrypoint: string,
  inputs: readonly Json[],
  capabilities: CapabilitySet = 'compat',
): Promise<readonly Told[]> {
  const answers = await compiler.evaluate(sources, { capabilities, entrypoint, inputs })
  return answers.map(({ problem, value }) => {
    if (problem !== undefined) return `!${problem.code}`
    return value === undefined ? 'undefined' : canonicalJson(value)
  })
}
