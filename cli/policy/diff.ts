/** `assay policy diff`: what another policy would decide otherwise, of what is on record, and what was changed in its text. */
import { existsSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { sortSources } from '../../adapters/compiler/opa/sources.ts'
import {
  type Adapters,
  compilePolicies,
  loadFolder,
  policyOptions,
} from '../../adapters/compose.ts'
import { type Changes, changes, type Side } from '../../adapters/lint/index.ts'
import { DEFAULT_LIMITS, readBundleAt } from '../../adapters/policies/bundle/archive.ts'
import { type Flips, flips } from '../../adapters/shadow/flips.ts'
import { isFlip } from '../../adapters/shadow/report.ts'
import { CompilerError } from '../../core/error.ts'
import type { Bundle, Compiler, Sources } from '../../core/ports/compiler.ts'
import { createRegistry } from '../../core/registry.ts'
import { MANIFEST, readPolicyBundle } from '../../formats/bundle/index.ts'
import { configured, type PlaceOptions, shown, writeOut } from '../input.ts'
import type { ExitCode, Out } from '../out.ts'
import { diffLines } from './diff-lines.ts'
import { diffPage } from './diff-page.ts'
import { tellProblems } from './problems.ts'
import { withAdapters } from './workbench.ts'

export interface DiffOptions extends Pick<PlaceOptions, 'config' | 'realm'> {
  /** The data folder of the log. */
  readonly replay?: string
  readonly last?: number
  /** A file for a page that needs nothing else. */
  readonly html?: string
  readonly showInputs?: boolean
}

/** What the verb answers. */
export interface PolicyDiff {
  readonly before: Named
  readonly after: Named
  readonly changes: Changes
  readonly replay?: Flips
}
interface Named {
  /** As it was called. */
  readonly name: string
  readonly digest?: string
  readonly revision?: string
}

/** 0: nothing flips, 1: something does, or one of the two does not compile. */
export async function diff(
  options: DiffOptions,
  out: Out,
  old: string,
  next: string,
): Promise<ExitCode> {
  const { replay: data, ...rest } = options
  const config = await configured({ ...rest, ...(data !== undefined && { data }) })
  return withAdapters(config, { readOnly: true }, async (adapters) => {
    const compiler = await adapters.get('compiler')
    const [before, after] = [await sideOf(old, compiler), await sideOf(next, compiler)]
    const failed = [before, after].find(({ problems }) => problems.length > 0)
    if (failed !== undefined) return tellProblems(failed.problems, out, failed)
    const replayed = data === undefined ? {} : await replay(adapters, before, after, options)
    if ('problems' in replayed) return tellProblems(replayed.problems, out, replayed)
    const told: PolicyDiff = {
      before: { name: before.dir, ...replayed.digests?.[0] },
      after: { name: after.dir, ...replayed.digests?.[1] },
      changes: changes(before, after),
      ...(replayed.replay && { replay: replayed.replay }),
    }
    if (options.html !== undefined) await writeOut(options.html, diffPage(told))
    out.answer(told, diffLines(told, out).join('\n'))
    return (told.replay?.flips ?? []).some(isFlip) ? 1 : 0
  })
}

interface Sided extends Side {
  readonly sources: Sources
  /** As it is shown. */
  readonly dir: string
  readonly problems: CompilerError['problems']
}

async function sideOf(path: string, compiler: Compiler): Promise<Sided> {
  const sources = await sourcesAt(resolve(path))
  const side = { sources, dir: shown(resolve(path)) }
  try {
    const { data } = sortSources(sources)
    return { ...side, syntax: await compiler.syntax(sources), data, problems: [] }
  } catch (error) {
    return { ...side, syntax: {}, data: {}, problems: problemsOf(error) }
  }
}

function problemsOf(error: unknown): CompilerError['problems'] {
  if (error instanceof CompilerError && error.code === 'invalid_policy') return error.problems
  throw error
}

/** A folder of Rego, or a bundle in either of its forms; who signed it is not looked at here. */
async function sourcesAt(path: string): Promise<Sources> {
  const folder = (await stat(path).catch(() => undefined))?.isDirectory() ?? true
  if (folder && !existsSync(join(path, MANIFEST))) return loadFolder(path)
  const files = await readBundleAt(path, DEFAULT_LIMITS)
  const { data, sources } = readPolicyBundle(files, { maxBytes: DEFAULT_LIMITS.maxUnpackedBytes })
  return { ...sources, 'data.json': JSON.stringify(data) }
}

interface Replayed {
  readonly replay?: Flips
  readonly digests?: readonly Pick<Bundle, 'digest' | 'revision'>[]
}

async function replay(
  adapters: Adapters,
  before: Sided,
  after: Sided,
  { last, showInputs = false }: DiffOptions,
): Promise<Replayed | Sided> {
  const compiler = await adapters.get('compiler')
  const store = await adapters.get('store')
  const options = await policyOptions(adapters)
  const engine = await adapters.get('engine')
  const policies = []
  for (const side of [before, after])
    try {
      policies.push(await engine.load(await compilePolicies(side.sources, options, compiler)))
    } catch (error) {
      return { ...side, problems: problemsOf(error) }
    }
  const [old, next] = policies
  const plugins = (await adapters.get('plugins')).map(({ plugin }) => plugin)
  const found = await flips({
    ...store,
    registry: createRegistry(plugins),
    before: old!,
    after: next!,
    inputs: showInputs,
    ...(last !== undefined && { last }),
  })
  for (const policy of policies) await policy.close()
  return { replay: found, digests: policies.map(({ digest, revision }) => ({ digest, revision })) }
}
