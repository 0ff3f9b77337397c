/** `assay policy`: Rego without a Go tool chain. */
import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { Adapters, loadFolder } from '../adapters/compose.ts'
import { CompilerError } from '../core/error.ts'
import { typedInput } from '../core/input.ts'
import type { Plugin } from '../core/plugin.ts'
import type {
  CapabilitySet,
  Compiler,
  FileCoverage,
  Problem,
  Sources,
  TestReport,
} from '../core/ports/compiler.ts'
import { configured, shown } from './input.ts'
import { type ExitCode, type Out, printable } from './out.ts'

interface Configurable {
  readonly config?: string
}
interface Capable extends Configurable {
  readonly capabilities: CapabilitySet
}
export interface BuildOptions extends Capable {
  readonly entrypoint?: readonly string[]
  readonly output?: string
}
export interface TestOptions extends Capable {
  readonly coverage?: boolean
  readonly threshold?: number
  readonly run?: string
}
export interface FmtOptions {
  readonly write?: boolean
  readonly check?: boolean
}

/** 0: compiled, 1: it does not. */
export function build(options: BuildOptions, out: Out, folder?: string): Promise<ExitCode> {
  return withCompiler(options, folder, out, async ({ compiler, plugins, sources }) => {
    const { capabilities, output } = options
    const { entrypoint: entrypoints = plugins.map(({ name }) => `assay/${name}/decision`) } =
      options
    const bundle = await compiler.build(sources, { capabilities, entrypoints })
    const { data, digest, plan, revision, wasm } = bundle
    if (output !== undefined) {
      await mkdir(output, { recursive: true })
      await writeFile(join(output, 'policy.wasm'), wasm)
      await writeFile(join(output, 'plan.json'), `${JSON.stringify(plan)}\n`)
      await writeFile(join(output, 'data.json'), `${JSON.stringify(data)}\n`)
    }
    const value = { digest, revision, entrypoints: bundle.entrypoints, bytes: wasm.length }
    out.answer(value, `digest   ${digest}\nrevision ${revision}`)
    return 0
  })
}

/** 0: no problems, 1: some. */
export function check(options: Capable, out: Out, folder?: string): Promise<ExitCode> {
  return withCompiler(options, folder, out, async ({ compiler, dir, plugins, sources }) => {
    const { schemas, sources: bindings } = typedInput(plugins)
    const { capabilities } = options
    const problems = await compiler.check({ ...sources, ...bindings }, { capabilities, schemas })
    if (problems.length > 0) return tellProblems(problems, out, dir)
    out.answer({ problems }, `${Object.keys(sources).length} files, no problems`)
    return 0
  })
}

/** 0: every test passed and the coverage is high enough. */
export function test(options: TestOptions, out: Out, folder?: string): Promise<ExitCode> {
  return withCompiler({}, folder, out, async ({ compiler, dir, sources }) => {
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

/** 0: formatted, or only listed; 1: `--check`, and some are not. */
export function fmt(options: FmtOptions, out: Out, folder?: string): Promise<ExitCode> {
  return withCompiler({}, folder, out, async ({ compiler, dir, sources }) => {
    const formatted = await compiler.format(sources)
    const different = Object.entries(formatted).filter(([path, text]) => sources[path] !== text)
    if (options.write === true)
      for (const [path, text] of different) await writeFile(join(dir, path), text)
    const paths = different.map(([path]) => join(dir, path))
    const verb = options.write === true ? 'formatted' : 'differs'
    const lines = paths.map((path) => `${path}: ${verb}`)
    const value = { files: paths, written: options.write === true }
    out.answer(value, lines.length > 0 ? lines.join('\n') : 'every file is formatted')
    return options.check === true && different.length > 0 ? 1 : 0
  })
}

interface Bench {
  readonly compiler: Compiler
  readonly plugins: readonly Plugin[]
  readonly sources: Sources
  /** As it is shown. */
  readonly dir: string
}

/** Policies that do not compile are a finding, not a failure of the machinery. */
async function withCompiler(
  options: Configurable,
  folder: string | undefined,
  out: Out,
  work: (bench: Bench) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = await configured(options)
  const own =
    options.config === undefined && existsSync('policies') ? 'policies' : config.policies.dir
  const path = resolve(folder ?? own)
  const dir = shown(path)
  const adapters = new Adapters(config)
  try {
    const sources = await loadFolder(path)
    const plugins = (await adapters.get('plugins')).map(({ plugin }) => plugin)
    return await work({ compiler: await adapters.get('compiler'), plugins, sources, dir })
  } catch (error) {
    if (!(error instanceof CompilerError) || error.code !== 'invalid_policy') throw error
    return tellProblems(error.problems, out, dir)
  } finally {
    await adapters.close()
  }
}

function tellProblems(problems: readonly Problem[], out: Out, dir: string): ExitCode {
  const lines = problems.map(({ code, col = 1, file, message, row = 1 }) =>
    printable(`${file === undefined ? dir : join(dir, file)}:${row}:${col}: ${code}: ${message}`),
  )
  out.answer({ problems }, lines.join('\n'))
  return 1
}
