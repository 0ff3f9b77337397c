/** `assay policy fmt`. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ExitCode, Out } from '../out.ts'
import { withSources } from './workbench.ts'

export interface FmtOptions {
  readonly write?: boolean
  readonly check?: boolean
}

/** 0: formatted, or only listed; 1: `--check`, and some are not. */
export function fmt(options: FmtOptions, out: Out, folder?: string): Promise<ExitCode> {
  return withSources({}, folder, out, async ({ compiler, dir, sources }) => {
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
