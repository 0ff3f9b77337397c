/** `assay policy test`. */
import { join } from 'node:path'
import { junit } from '../../adapters/policytest/index.ts'
import type { FileCoverage } from '../../core/ports/compiler.ts'
import { writeOut } from '../input.ts'
import { type ExitCode, type Out, printable } from '../out.ts'
import type { EngineChoice } from './engines.ts'
import { type ReasonReport, runTests, type Tested } from './testing.ts'
import { whileWatching } from './watching.ts'
import { type Capable, onSources, policyFolder, type Workbench, withCompiler } from './workbench.ts'

export interface TestOptions extends Capable {
  readonly coverage?: boolean
  readonly threshold?: number
  readonly run?: string
  /** Every reason that the policies can give is given by some test. */
  readonly reasons?: boolean
  readonly engine?: EngineChoice
  /** A file for JUnit XML. */
  readonly junit?: string
  readonly watch?: boolean
}

/** 0: every test passed, the coverage is high enough, and with `--reasons` every reason is reached. */
export function test(options: TestOptions, out: Out, folder?: string): Promise<ExitCode> {
  return withCompiler(options, async (tools) => {
    const path = await policyFolder(options, folder)
    const once = (): Promise<ExitCode> =>
      onSources(tools, path, out, (bench) => testOnce(options, out, bench))
    return options.watch === true ? whileWatching(path, out, once) : once()
  })
}

async function testOnce(options: TestOptions, out: Out, bench: Workbench): Promise<ExitCode> {
  const { capabilities, engine, reasons = false, run, threshold } = options
  const coverage = options.coverage === true || threshold !== undefined
  const wanted = { capabilities, coverage, reasons, ...(run && { run }), ...(engine && { engine }) }
  const tested = await runTests(bench, wanted)
  if (options.junit !== undefined) await writeOut(options.junit, junit(tested.tests))
  const ok = isOk(tested, threshold)
  const text = testLines(tested, bench.dir, options).join('\n')
  if (options.watch === true) out.event({ ok, ...tested }, text)
  else out.answer({ ok, ...tested }, text)
  return ok ? 0 : 1
}

function isOk({ coverage, reasons, tests }: Tested, threshold = 0): boolean {
  const failed = tests.some(({ outcome }) => outcome === 'fail' || outcome === 'error')
  const short = coverage !== undefined && coverage.percent < threshold
  return !failed && tests.length > 0 && !short && (reasons?.unreached ?? []).length === 0
}

/** What did not pass, with its place, then the counts. */
export function testLines(
  tested: Tested,
  dir: string,
  { run, threshold = 0 }: Pick<TestOptions, 'run' | 'threshold'> = {},
): string[] {
  const { coverage, reasons, tests } = tested
  const failed = tests.filter(({ outcome }) => outcome !== 'pass')
  const lines = failed.map(({ file, message = '', name, outcome, package: inPackage, row }) => {
    const about = inPackage === file ? name : `${inPackage}.${name}`
    return printable(`${join(dir, file)}:${row}: ${outcome} ${about} ${message}`.trimEnd())
  })
  const passed = tests.length - failed.length
  const none = run === undefined ? NO_TESTS : `no test matches --run ${printable(run)}`
  lines.push(tests.length === 0 ? none : `${passed} of ${tests.length} tests passed`)
  if (reasons !== undefined) lines.push(...reasonLines(reasons, dir))
  if (coverage === undefined) return lines
  const below = coverage.percent < threshold ? `, below ${threshold}` : ''
  return [
    ...coverage.files.flatMap((file) => uncovered(file, dir)),
    ...lines,
    `coverage ${coverage.percent}%${below}`,
  ]
}

const NO_TESTS =
  'no tests: write rules test_... in a file that ends in _test.rego, or a table in one that ends in _cases.yaml'

function reasonLines({ total, unreached }: ReasonReport, dir: string): string[] {
  const missing = unreached.map(({ code, col, file, row }) =>
    printable(`${join(dir, file)}:${row}:${col}: no test gives the reason ${code}`),
  )
  return [...missing, `${total - unreached.length} of ${total} reasons reached`]
}

function uncovered({ file, notCovered }: FileCoverage, dir: string): string[] {
  return notCovered.map(
    ({ from, to }) => `${join(dir, file)}:${from}${to > from ? `-${to}` : ''}: not covered`,
  )
}
