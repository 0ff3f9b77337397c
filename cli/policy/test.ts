/** `assay policy test`. */
import { join } from 'node:path'
import type { FileCoverage, TestReport } from '../../core/ports/compiler.ts'
import { type ExitCode, type Out, printable } from '../out.ts'
import { type Capable, withSources } from './workbench.ts'

export interface TestOptions extends Capable {
  readonly coverage?: boolean
  readonly threshold?: number
  readonly run?: string
}

/** 0: every test passed and the coverage is high enough. */
export function test(options: TestOptions, out: Out, folder?: string): Promise<ExitCode> {
  return withSources({}, folder, out, async ({ compiler, dir, sources }) => {
    const { capabilities, run, threshold } = options
    const coverage = options.coverage === true || threshold !== undefined
    const report = await compiler.test(sources, { capabilities, coverage, ...(run && { run }) })
    const failed = report.tests.filter(({ outcome }) => outcome === 'fail' || outcome === 'error')
    const percent = report.coverage?.percent ?? 100
    const short = threshold !== undefined && percent < threshold
    const ok = failed.length === 0 && report.tests.length > 0 && !short
    out.answer({ ok, ...report }, testLines(report, dir, threshold).join('\n'))
    return ok ? 0 : 1
  })
}

function testLines(report: TestReport, dir: string, threshold = 0): string[] {
  const { coverage, tests } = report
  const failed = tests.filter(({ outcome }) => outcome !== 'pass')
  const lines = failed.map(({ file, message = '', name, outcome, package: inPackage, row }) =>
    printable(`${join(dir, file)}:${row}: ${outcome} ${inPackage}.${name} ${message}`.trimEnd()),
  )
  const passed = tests.length - failed.length
  lines.push(tests.length === 0 ? 'no tests' : `${passed} of ${tests.length} tests passed`)
  if (coverage === undefined) return lines
  const below = coverage.percent < threshold ? `, below ${threshold}` : ''
  return [
    ...coverage.files.flatMap((file) => uncovered(file, dir)),
    ...lines,
    `coverage ${coverage.percent}%${below}`,
  ]
}

function uncovered({ file, notCovered }: FileCoverage, dir: string): string[] {
  return notCovered.map(
    ({ from, to }) => `${join(dir, file)}:${from}${to > from ? `-${to}` : ''}: not covered`,
  )
}
