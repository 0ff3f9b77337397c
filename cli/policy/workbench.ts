/** What the verbs of `assay policy` share: a folder of Rego with the compiler and the plugins of a configuration. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type AdapterOptions, Adapters, type Config, loadFolder } from '../../adapters/compose.ts'
import { loadCases } from '../../adapters/policies/folder.ts'
import { CompilerError } from '../../core/error.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { CapabilitySet, Compiler, Sources } from '../../core/ports/compiler.ts'
import { configured, shown } from '../input.ts'
import type { ExitCode, Out } from '../out.ts'
import { placed } from './json-place.ts'
import { tellProblems } from './problems.ts'

export interface Configurable {
  readonly config?: string
  /** The data folder, where a verb reads one; nothing is written into it. */
  readonly data?: string
}
export interface Capable extends Configurable {
  readonly capabilities: CapabilitySet
}

export interface Tools {
  readonly adapters: Adapters
  readonly compiler: Compiler
  readonly plugins: readonly Plugin[]
}
export interface Workbench extends Tools {
  readonly sources: Sources
  /** Where the sources lie, absolute. */
  readonly path: string
  /** As it is shown. */
  readonly dir: string
}

/** The folder that is meant, absolute: the one that is named, else `policies` here, else the configuration's. */
export async function policyFolder(
  options: Configurable,
  folder: string | undefined,
): Promise<string> {
  if (folder !== undefined) return resolve(folder)
  if (options.config === undefined && existsSync('policies')) return resolve('policies')
  return resolve((await configured(options)).policies.dir)
}

/** Policies that do not compile are a finding, not a failure of the machinery. */
export async function withSources(
  options: Configurable,
  folder: string | undefined,
  out: Out,
  work: (bench: Workbench) => Promise<ExitCode>,
): Promise<ExitCode> {
  const path = await policyFolder(options, folder)
  return withCompiler(options, (tools) => onSources(tools, path, out, work))
}

/** For those who read a folder more than once. */
export async function onSources(
  tools: Tools,
  path: string,
  out: Out,
  work: (bench: Workbench) => Promise<ExitCode>,
): Promise<ExitCode> {
  const dir = shown(path)
  let sources: Sources = {}
  try {
    sources = await loadFolder(path)
    return await work({ ...tools, sources, path, dir })
  } catch (error) {
    if (!(error instanceof CompilerError) || error.code !== 'invalid_policy') throw error
    const tables = await loadCases(path).catch(() => ({}))
    const all = { ...sources, ...tables }
    return tellProblems(placed(error.problems, all), out, { dir, sources: all })
  }
}

/** Without a folder. */
export async function withCompiler(
  options: Configurable,
  work: (tools: Tools) => Promise<ExitCode>,
): Promise<ExitCode> {
  const readOnly = options.data !== undefined
  return withAdapters(await configured(options), { readOnly }, async (adapters) => {
    const plugins = (await adapters.get('plugins')).map(({ plugin }) => plugin)
    return work({ adapters, compiler: await adapters.get('compiler'), plugins })
  })
}

/** They are closed whatever happens. */
export async function withAdapters(
  config: Config,
  options: AdapterOptions,
  work: (adapters: Adapters) => Promise<ExitCode>,
): Promise<ExitCode> {
  const adapters = new Adapters(config, options)
  try {
    return await work(adapters)
  } finally {
    await adapters.close()
  }
}
