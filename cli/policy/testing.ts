/** Everything that `assay policy test` and `assay policy dev` run: Rego tests, tables of cases, and which reasons they reach. */
import { reasonLiterals, ruleNames, stringsInTests } from '../../adapters/lint/index.ts'
import { type Case, type CaseResult, runCases, unreached } from '../../adapters/policytest/index.ts'
import { CompilerError } from '../../core/error.ts'
import type {
  CapabilitySet,
  FileCoverage,
  TestCase,
  TestReport,
} from '../../core/ports/compiler.ts'
import { asked } from './asked.ts'
import { readCases } from './cases.ts'
import { type EngineChoice, enginesFor } from './engines.ts'
import type { Workbench } from './workbench.ts'

export interface Wanted {
  readonly capabilities: CapabilitySet
  readonly coverage: boolean
  readonly reasons: boolean
  /** Only tests and cases whose `package.name` matches. */
  readonly run?: string
  readonly engine?: EngineChoice
}
export interface Tested {
  /** Rego tests, then cases. */
  readonly tests: readonly (CaseResult | TestCase)[]
  readonly coverage?: TestReport['coverage']
  readonly reasons?: ReasonReport
}
export interface ReasonReport {
  readonly total: number
  readonly unreached: readonly {
    readonly code: string
    readonly file: string
    readonly row: number
    readonly col: number
  }[]
}

/** @throws CompilerError `invalid_policy` */
export async function runTests(bench: Workbench, wanted: Wanted): Promise<Tested> {
  const { capabilities, coverage, reasons, run } = wanted
  const measured = coverage || reasons
  const options = { capabilities, coverage: measured, ...(run !== undefined && { run }) }
  const rego = await bench.compiler.test(bench.sources, options)
  const cases = await runTables(bench, wanted)
  const tests = [...rego.tests, ...cases]
  const covered = coverage && rego.coverage !== undefined ? { coverage: rego.coverage } : {}
  if (!reasons) return { tests, ...covered }
  return { tests, ...covered, reasons: await reached(bench, cases, rego.coverage?.files ?? []) }
}

async function runTables(bench: Workbench, wanted: Wanted): Promise<readonly CaseResult[]> {
  const pattern = new RegExp(wanted.run ?? '')
  const all = (await readCases(bench.path)).cases
  const cases = all.filter(({ file, name }) => pattern.test(`${file}.${name}`))
  if (cases.length === 0) return []
  const { compiler } = bench
  checkQueries(cases, ruleNames(await compiler.syntax(bench.sources)))
  const { entrypointOf, entrypoints, sources } = asked(
    bench.sources,
    cases.map(({ query }) => query),
  )
  const { capabilities } = wanted
  const bundle = await compiler.build(sources, { capabilities, entrypoints })
  const answered = cases.map((one) => ({ ...one, query: entrypointOf(one.query) }))
  return runCases(answered, bundle, await enginesFor(wanted.engine, bench))
}

/** A misspelt query would be undefined, which a case may even expect. */
function checkQueries(cases: readonly Case[], rules: ReadonlySet<string>): void {
  const problems = cases
    .filter(({ query }) => !rules.has(query))
    .map(({ file, name, query, row }) => ({
      code: 'unknown_query',
      message: `${name}: there is no rule ${query}`,
      file,
      row,
      col: 1,
    }))
  if (problems.length > 0)
    throw new CompilerError('cli', 'invalid_policy', `${problems.length} unknown queries`, problems)
}

async function reached(
  { compiler, sources }: Workbench,
  cases: readonly CaseResult[],
  coverage: readonly FileCoverage[],
): Promise<ReasonReport> {
  const syntax = await compiler.syntax(sources)
  const all = reasonLiterals(syntax)
  const given = cases.flatMap(({ outcome, reasons }) => (outcome === 'pass' ? reasons : []))
  const missing = unreached(all, { given, coverage, named: stringsInTests(syntax) })
  const places = missing.map(({ at: { col, row }, code, file }) => ({ code, file, row, col }))
  return { total: all.length, unreached: places }
}
