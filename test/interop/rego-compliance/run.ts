/**
 * Scores an engine on OPA's own cases, for people:
 *
 *     node test/interop/rego-compliance/run.ts [--engine jit|wasm] [--strict | --lenient] [--family NAME] [--case ID] [--all]
 *
 * Lists what fails with what is wanted and what came. `--case` shows the case, and `--plan` its plan too; `--table` counts by family.
 */
import { parseArgs } from 'node:util'
import { type Case, loadCases } from './cases.ts'
import { type Evaluator, inMode, type Mode, score } from './score.ts'
import { summary, tableOf } from './table.ts'

const { values: args } = parseArgs({
  options: {
    engine: { type: 'string', default: 'jit' },
    strict: { type: 'boolean', default: false },
    lenient: { type: 'boolean', default: false },
    family: { type: 'string' },
    case: { type: 'string' },
    plan: { type: 'boolean', default: false },
    table: { type: 'boolean', default: false },
  },
})

async function evaluator(name: string): Promise<Evaluator> {
  if (name === 'wasm') return (await import('./wasm.ts')).wasm
  if (name === 'jit') return (await import('./jit.ts')).jit
  throw new Error(`no engine ${name}: jit or wasm`)
}

function selected(test: Case): boolean {
  if (args.case !== undefined) return test.id === args.case
  return inMode(test, mode) && (args.family === undefined || test.family === args.family)
}

function show(test: Case): void {
  for (const module of test.modules) console.log(`${module}\n---`)
  console.log(`query: ${test.query}\ndata: ${JSON.stringify(test.data)}`)
  if (args.plan) console.log(JSON.stringify(test.plan, undefined, 1))
}

const mode: Mode = args.strict ? 'strict' : args.lenient ? 'lenient' : 'main'
const engine = await evaluator(args.engine)
const cases = (await loadCases()).filter(selected)
const results = cases.map((test) =>
  score(engine, test, args.case && test.strict && mode === 'main' ? 'strict' : mode),
)
for (const { test, passed, wanted, got } of results) {
  if (args.case !== undefined) show(test)
  if (!passed || args.case !== undefined)
    console.log(`${passed ? 'passed' : 'FAILED'} ${test.id}\n  wanted ${wanted}\n  got    ${got}`)
}
if (args.table) console.log(tableOf(results))
console.log(summary(engine, mode, results))
