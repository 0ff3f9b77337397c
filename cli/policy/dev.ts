/** `assay policy dev`: whatever is saved is checked and tested at once, and it says whether the running server took it. */
import { compilePolicies, policyOptions } from '../../adapters/compose.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import { configured } from '../input.ts'
import { type ExitCode, type Out, printable, UsageError } from '../out.ts'
import { problemsIn } from './check.ts'
import { type Finding, problemLines, withNext } from './problems.ts'
import { type Served, serving } from './serving.ts'
import { testLines } from './test.ts'
import { runTests, type Tested } from './testing.ts'
import { whileWatching } from './watching.ts'
import {
  type Capable,
  onSources,
  policyFolder,
  type Tools,
  type Workbench,
  withCompiler,
} from './workbench.ts'

export interface DevOptions extends Capable {
  /** Of a running server. */
  readonly url?: string
  readonly once?: boolean
}

/** Of the last round: 0: no problem and every test passed; 1: not so, or the server did not take it. */
export function dev(options: DevOptions, out: Out, folder?: string): Promise<ExitCode> {
  return withCompiler(options, async (tools) => {
    const path = await policyFolder(options, folder)
    const url = await serverUrl(options)
    const round = (): Promise<ExitCode> => oneRound(tools, path, { ...options, url }, out)
    return options.once === true ? round() : whileWatching(path, out, round)
  })
}

async function serverUrl({ config, url }: DevOptions): Promise<string> {
  if (url === undefined) {
    const { host, port } = (await configured({ ...(config && { config }) })).http
    return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
  }
  if (/^https?:$/.test(URL.parse(url)?.protocol ?? '')) return url
  throw new UsageError('usage', '--url must be an http or https URL')
}

function oneRound(
  tools: Tools,
  path: string,
  options: DevOptions & { readonly url: string },
  out: Out,
): Promise<ExitCode> {
  return onSources(tools, path, out, async (bench) => {
    const problems = await problemsIn(bench, options.capabilities, true)
    if (!problems.every(isLint)) {
      const lines = problemLines(problems, out, bench)
      out.event({ ok: false, problems: problems.map(withNext) }, [...lines, ''].join('\n'))
      return 1
    }
    const tested = await runTests(bench, { ...options, coverage: false, reasons: false })
    const served = await serving(options.url, await compiled(bench, options))
    return tell({ problems, served, tested }, bench, out)
  })
}

/** What a server would take all the same. */
function isLint({ code }: Finding): boolean {
  return code.includes('/') && !code.startsWith('purity/')
}

/** As a server over this folder compiles it. */
async function compiled(
  { adapters, compiler, path, sources }: Workbench,
  { capabilities }: DevOptions,
): Promise<Bundle> {
  const { plugins } = await policyOptions(adapters)
  return compilePolicies(sources, { capabilities, dir: path, plugins }, compiler)
}

interface Round {
  readonly problems: Awaited<ReturnType<typeof problemsIn>>
  readonly tested: Tested
  readonly served: Served
}

function tell({ problems, served, tested }: Round, bench: Workbench, out: Out): ExitCode {
  const failed = tested.tests.some(({ outcome }) => outcome === 'fail' || outcome === 'error')
  const ok = problems.length === 0 && !failed && served.state !== 'other'
  const colour = served.state === 'took' ? 'green' : served.state === 'other' ? 'red' : 'dim'
  const lines = [
    ...problemLines(problems, out, bench),
    ...testLines(tested, bench.dir),
    out.colour(colour, printable(served.text)),
    '',
  ]
  const { coverage: _, ...tests } = tested
  const value = { ok, problems: problems.map(withNext), ...tests, server: served }
  out.event(value, lines.join('\n'))
  return ok ? 0 : 1
}
