/** `assay policy build`. */
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExitCode, Out } from '../out.ts'
import { type Capable, withSources } from './workbench.ts'

export interface BuildOptions extends Capable {
  readonly entrypoint?: readonly string[]
  readonly output?: string
}

/** 0: compiled, 1: it does not. */
export function build(options: BuildOptions, out: Out, folder?: string): Promise<ExitCode> {
  return withSources(options, folder, out, async ({ compiler, plugins, sources }) => {
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
