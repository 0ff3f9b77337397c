/** `assay policy build`: a folder of Rego becomes a bundle that OPA and a server of ours load. Reproducible byte for byte. */
import { readdir, readFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { compilePolicies, policyOptions } from '../../adapters/compose.ts'
import { emitModule } from '../../adapters/engine/jit/index.ts'
import { bundleFiles } from '../../adapters/policies/bundle/build.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import { contentDigest, type Files } from '../../formats/bundle/index.ts'
import { shown } from '../input.ts'
import { type ExitCode, type Out, UsageError } from '../out.ts'
import { type Capable, type Workbench, withSources } from './workbench.ts'
import { writeBundle } from './write-bundle.ts'

export interface BuildOptions extends Capable {
  readonly entrypoint?: readonly string[]
  readonly output?: string
  /** The bundle's own: only ever grows. */
  readonly revision: number
  /** A folder of recorded requests. */
  readonly recorded?: string
}

/** 0: compiled, 1: it does not. */
export function build(options: BuildOptions, out: Out, folder?: string): Promise<ExitCode> {
  return withSources(options, folder, out, async (bench) => {
    const bundle = await compiled(bench, options)
    const { digest, entrypoints, revision, wasm } = bundle
    const value = { digest, revision, entrypoints, bytes: wasm.length }
    const lines = `digest   ${digest}\nrevision ${revision}`
    if (options.output === undefined) {
      out.answer(value, lines)
      return 0
    }
    const files = await filesOf(bundle, bench, options)
    await writeBundle(resolve(options.output), files)
    const content = contentDigest(files)
    const place = `content  ${content}\nbundle   ${shown(resolve(options.output))}`
    out.answer({ ...value, content, counter: options.revision }, `${lines}\n${place}`)
    return 0
  })
}

/** As a server over this folder compiles it: what plugins bring is in it. */
async function compiled(
  { adapters, compiler, path, sources }: Workbench,
  { capabilities, entrypoint }: BuildOptions,
): Promise<Bundle> {
  if (entrypoint !== undefined)
    return compiler.build(sources, { capabilities, entrypoints: entrypoint })
  const { plugins } = await policyOptions(adapters)
  return compilePolicies(sources, { capabilities, dir: path, plugins }, compiler)
}

async function filesOf(
  bundle: Bundle,
  { compiler }: Workbench,
  { recorded, revision: counter }: BuildOptions,
): Promise<Files> {
  return bundleFiles(bundle, {
    counter,
    compiler: compiler.version,
    module: emitModule(bundle.plan),
    ...(recorded === undefined ? {} : { recorded: await recordedIn(recorded) }),
  })
}

async function recordedIn(folder: string): Promise<Files> {
  const names = await readdir(folder).catch(() => {
    throw new UsageError('not_found', `${folder} is no folder of recorded requests`)
  })
  const found = names.filter((name) => name.endsWith('.json'))
  // A self-test that asks nothing passes always.
  if (found.length === 0)
    throw new UsageError('not_found', `${folder} has no recorded request: a .json file each`)
  const files = found.map(
    async (name) => [`tests/recorded/${name}`, await readFile(join(folder, name))] as const,
  )
  return new Map(await Promise.all(files))
}
