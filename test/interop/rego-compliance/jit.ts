/** `adapters/engine/jit` below its port, where values are Rego's own. */
import { compilePlan } from '../../../adapters/engine/jit/program.ts'
import { PolicyFailure } from '../../../adapters/engine/jit/runtime.ts'
import type { RegoSet } from '../../../adapters/engine/value/value.ts'
import { type Answer, type Case, NOW } from './cases.ts'
import { oneResult } from './one-result.ts'
import type { Evaluator } from './score.ts'

export const jit: Evaluator = {
  name: 'jit',
  evaluate(test: Case, { strict }): Answer {
    const program = compilePlan(oneResult(test.plan), { strict })
    try {
      return { rows: program.evaluate('eval', test.input, test.data, NOW) as RegoSet }
    } catch (error) {
      if (error instanceof PolicyFailure) return { error: error.code }
      throw error
    }
  },
}
