/** What the verbs of `assay policy` share: a folder of Rego with the compiler and the plugins of a configuration. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { Adapters, loadFolder } from '../../adapters/compose.ts'
import { CompilerError } from '../../core/error.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { CapabilitySet, Compiler, Sources } from '../../core/ports/compiler.ts'
import { configured, shown } from '../input.ts'
import type { ExitCode, Out } from '../out.ts'
import { tellProblems } from './problems.ts'

export interface Configurable {
  readonly config?: string
}
export interface Capable extends Configurable {
  readonly capabilities: CapabilitySet
}

export interface Workbench {
  readonly adapters: Adapters
  readonly compiler: Compiler
  readonly plugins: readonly Plugin[]
  readonly sources: Sources
  /** Where the sources lie, absolute. */
  readonly path: string
  /** As it is shown. */
  readonly dir: string
}

/** Policies that do not compile are a finding, not a failure of the machinery. */
export async function withSources(
  options: Configurable,
  folder: string | undefined,
  out: Out,
  work: (bench: Workbench) => Promise<ExitCode>,
): Promise<ExitCode> {
  const config = await configured(options)
  const own =
    options.config === undefined && existsSync('policies') ? 'policies' : config.policies.dir
  const path = resolve(folder ?? own)
  const dir = shown(path)
  const adapters = new Adapters(config)
  let sources: Sources = {}
  try {
    sources = await loadFolder(path)
    const plugins = (await adapters.get('plugins')).map(({ plugin }) => plugin)
    const compiler = await adapters.get('compiler')
    return await work({ adapters, compiler, plugins, sources, path, dir })
  } catch (error) {
    if (!(error instanceof CompilerError) || error.code !== 'invalid_policy') throw error
    return tellProblems(error.problems, out, { dir, sources })
  } finally {
    await adapters.close()
  }
}
