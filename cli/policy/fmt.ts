/** `assay policy fmt`. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { CompilerError } from '../../core/error.ts'
import { bytesOf } from '../input.ts'
import { type ExitCode, type Out, printable } from '../out.ts'
import { lineDiff } from './line-diff.ts'
import { tellProblems } from './problems.ts'
import { type Workbench, withCompiler, withSources } from './workbench.ts'

export interface FmtOptions {
  readonly write?: boolean
  readonly check?: boolean
  readonly diff?: boolean
}

/** 0: formatted, or only listed; 1: `--check`, and some are not. */
export function fmt(options: FmtOptions, out: Out, folder?: string): Promise<ExitCode> {
  if (folder === '-') return fmtInput(options, out)
  return withSources({}, folder, out, async (bench) => {
    const formatted = await bench.compiler.format(bench.sources)
    const different = Object.entries(formatted).filter(
      ([path, text]) => bench.sources[path] !== text,
    )
    if (options.write === true)
      for (const [path, text] of different) await writeFile(join(bench.path, path), text)
    const lines = different.flatMap(([path, text]) => told(path, text, options, bench))
    const files = different.map(([path]) => join(bench.dir, path))
    const value = { files, written: options.write === true }
    out.answer(value, lines.length > 0 ? lines.join('\n') : 'every file is formatted')
    return options.check === true && different.length > 0 ? 1 : 0
  })
}

function told(path: string, text: string, options: FmtOptions, bench: Workbench): string[] {
  const shown = join(bench.dir, path)
  const head = printable(`${shown}: ${options.write === true ? 'formatted' : 'differs'}`)
  return options.diff === true ? [head, ...lineDiff(bench.sources[path] ?? '', text)] : [head]
}

/** Standard input to standard output, as editors call it. */
async function fmtInput({ check, diff }: FmtOptions, out: Out): Promise<ExitCode> {
  const text = Buffer.from(await bytesOf('-', 'the Rego')).toString('utf8')
  const sources = { 'stdin.rego': text }
  return withCompiler({}, async ({ compiler }) => {
    try {
      const formatted = (await compiler.format(sources))['stdin.rego']!
      const differs = formatted !== text
      const shown = diff === true ? lineDiff(text, formatted).join('\n') : formatted
      out.answer({ text: formatted, differs }, check === true && diff !== true ? '' : shown)
      return check === true && differs ? 1 : 0
    } catch (error) {
      if (!(error instanceof CompilerError) || error.code !== 'invalid_policy') throw error
      return tellProblems(error.problems, out, { dir: '', sources })
    }
  })
}
