/** `adapters/engine/wasm` below its port: queries have any number of bindings, and their values keep their types. */
import { writeJson } from '../../../adapters/engine/value/json.ts'
import { writeTerm } from '../../../adapters/engine/value/term.ts'
import type { RegoSet } from '../../../adapters/engine/value/value.ts'
import { DETOURS, NEXT } from '../../../adapters/engine/wasm/detours.ts'
import { type Instance, instantiate, PolicyAbort } from '../../../adapters/engine/wasm/instance.ts'
import { reroute } from '../../../adapters/engine/wasm/reroute.ts'
import { type Answer, type Case, NOW } from './cases.ts'
import type { Evaluator } from './score.ts'

export const wasm: Evaluator = {
  name: 'wasm',
  evaluate(test: Case): Answer {
    const instance = open(test)
    try {
      const input = test.input === undefined ? '' : writeTerm(test.input)
      return { rows: instance.resultSet(input, 'eval', NOW) as RegoSet }
    } catch (error) {
      if (error instanceof PolicyAbort && CONFLICT.test(error.message))
        return { error: 'eval_conflict_error' }
      throw error
    }
  },
}

/** What OPA's own tests of its WebAssembly take for a conflict. */
const CONFLICT = /var assignment conflict|object insert conflict/

const NONE: ReadonlySet<string> = new Set()

function open(test: Case): Instance {
  const data = Uint8Array.from(new TextEncoder().encode(writeJson(test.data)))
  const module = new WebAssembly.Module(reroute(test.wasm(), DETOURS, NEXT))
  const limits = { initial: 64, maximum: 16_384, maxSteps: 10_000_000 }
  return instantiate({ module, data, refused: NONE, ...limits })
}
