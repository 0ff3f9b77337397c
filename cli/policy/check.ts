/** `assay policy check`: the strict compiler with the schemas of the facts, then the rules of lint. */
import { sortSources } from '../../adapters/compiler/opa/sources.ts'
import { lint } from '../../adapters/lint/index.ts'
import { typedInput } from '../../core/input.ts'
import type { CapabilitySet } from '../../core/ports/compiler.ts'
import type { ExitCode, Out } from '../out.ts'
import { placed } from './json-place.ts'
import { type Finding, tellProblems } from './problems.ts'
import { withPurity } from './purity.ts'
import { type Capable, type Workbench, withSources } from './workbench.ts'

export interface CheckOptions extends Capable {
  /** False: what the compiler says, and nothing else. */
  readonly lint?: boolean
}

/** 0: no problems, 1: some. */
export function check(options: CheckOptions, out: Out, folder?: string): Promise<ExitCode> {
  return withSources(options, folder, out, async (bench) => {
    const problems = await problemsIn(bench, options.capabilities, options.lint !== false)
    if (problems.length > 0) return tellProblems(problems, out, bench)
    out.answer({ problems }, `${Object.keys(bench.sources).length} files, no problems`)
    return 0
  })
}

/** What the compiler finds; where it finds nothing, what the rules of lint do. */
export async function problemsIn(
  { compiler, plugins, sources }: Pick<Workbench, 'compiler' | 'plugins' | 'sources'>,
  capabilities: CapabilitySet,
  withLint: boolean,
): Promise<readonly Finding[]> {
  if (!Object.keys(sources).some((path) => path.endsWith('.rego'))) return [NO_POLICIES]
  const { schemas, sources: bindings } = typedInput(plugins)
  const problems = await compiler.check({ ...sources, ...bindings }, { capabilities, schemas })
  if (problems.length > 0 || !withLint)
    return placed(problems, sources).map((problem) => withPurity(problem, capabilities))
  return lint(await compiler.syntax(sources), sortSources(sources).data)
}

/** Of a folder whose name is mistaken, too: that nothing is wrong in it would be no answer. */
const NO_POLICIES: Finding = {
  code: 'no_policies',
  message: 'there is no Rego in this folder',
  next: 'name the folder in which the .rego files lie',
}
