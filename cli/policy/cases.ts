/** The tables of cases beside the Rego, read with the place of each mistake. */
import { parseDocumentText } from '../../adapters/config/document.ts'
import { loadCases } from '../../adapters/policies/folder.ts'
import { type Case, casesOf, tableSchema } from '../../adapters/policytest/index.ts'
import { CompilerError } from '../../core/error.ts'
import type { Problem, Sources } from '../../core/ports/compiler.ts'

/** In the order of files. `sources`: so that a mistake is shown in place. @throws CompilerError `invalid_policy` */
export async function readCases(
  folder: string,
): Promise<{ cases: readonly Case[]; sources: Sources }> {
  const sources = await loadCases(folder)
  const problems: Problem[] = []
  const cases = Object.keys(sources)
    .sort()
    .flatMap((file) => readTable(file, sources[file]!, problems))
  if (problems.length > 0)
    throw new CompilerError(
      'cli',
      'invalid_policy',
      `${problems.length} mistakes in tables`,
      problems,
    )
  return { cases, sources }
}

function readTable(file: string, text: string, problems: Problem[]): readonly Case[] {
  const refuse = (message: string, { line, col }: { line: number; col: number }): void => {
    problems.push({ code: 'invalid_table', message, file, row: line, col })
  }
  const located = parseDocumentText(text)
  if ('problems' in located) {
    for (const { at, message } of located.problems) refuse(message, at)
    return []
  }
  const checked = tableSchema.safeParse(located.value)
  if (!checked.success) {
    for (const issue of checked.error.issues) {
      const { message, path } = issue
      const [unknown] = issue.code === 'unrecognized_keys' ? issue.keys : []
      refuse(worded(path, message), located.at(path, unknown))
    }
    return []
  }
  try {
    return casesOf(file, checked.data, (at) => located.at(['cases', String(at)]).line)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    refuse(`a table at the top has no decision of its own: case ${error.message} needs a query`, {
      line: 1,
      col: 1,
    })
    return []
  }
}

function worded(path: readonly PropertyKey[], message: string): string {
  const what = message.endsWith('received undefined') ? 'is missing' : message
  return path.length === 0 ? what : `${path.map(String).join('.')}: ${what}`
}
