/** `assay policy check`. */
import { typedInput } from '../../core/input.ts'
import type { ExitCode, Out } from '../out.ts'
import { tellProblems } from './problems.ts'
import { type Capable, withSources } from './workbench.ts'

/** 0: no problems, 1: some. */
export function check(options: Capable, out: Out, folder?: string): Promise<ExitCode> {
  return withSources(options, folder, out, async ({ compiler, dir, plugins, sources }) => {
    const { schemas, sources: bindings } = typedInput(plugins)
    const { capabilities } = options
    const problems = await compiler.check({ ...sources, ...bindings }, { capabilities, schemas })
    if (problems.length > 0) return tellProblems(problems, out, { dir, sources })
    out.answer({ problems }, `${Object.keys(sources).length} files, no problems`)
    return 0
  })
}
