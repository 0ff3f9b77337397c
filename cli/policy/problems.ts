/** Problems as somebody who edits Rego reads them: the place, what is wrong, the source line with a caret, and what to do next. */
import { join } from 'node:path'
import type { Problem, Sources } from '../../core/ports/compiler.ts'
import { type ExitCode, type Out, printable } from '../out.ts'
import { nextStep } from './next-step.ts'

/** What stands behind a problem's file name. */
export interface Place {
  /** As it is shown. */
  readonly dir: string
  readonly sources: Sources
}
/** A problem that may say itself what to do. */
export interface Finding extends Problem {
  readonly next?: string
}

/** 1, always: something was found. */
export function tellProblems(problems: readonly Finding[], out: Out, place: Place): ExitCode {
  out.answer({ problems: problems.map(withNext) }, problemLines(problems, out, place).join('\n'))
  return 1
}

/** The text that follows a problem in `--json`, too. */
export function withNext(problem: Finding): Finding {
  const next = problem.next ?? nextStep(problem)
  return next === undefined ? problem : { ...problem, next }
}

export function problemLines(problems: readonly Finding[], out: Out, place: Place): string[] {
  return problems.flatMap((problem) => told(problem, out, place))
}

function told(problem: Finding, out: Out, { dir, sources }: Place): string[] {
  const { code, col = 1, file, message, row = 1 } = problem
  const where = `${file === undefined ? dir : join(dir, file)}:${row}:${col}`
  const head = `${out.colour('bold', printable(where))}: ${out.colour('red', code)}: ${printable(message)}`
  const line = file === undefined ? undefined : sources[file]?.split('\n')[row - 1]
  const { next } = withNext(problem)
  return [
    head,
    ...(line === undefined || problem.row === undefined ? [] : pointed(line, row, col)),
    ...(next === undefined ? [] : [out.colour('dim', `  next: ${printable(next)}`)]),
  ]
}

/** A tab stays one in the line of the caret, so that the two agree at any width. A column counts characters. */
function pointed(line: string, row: number, col: number): string[] {
  const gutter = `  ${row} | `
  const indent = `${' '.repeat(gutter.length - 2)}| `
  const before = [...line].slice(0, col - 1).map((character) => (character === '\t' ? '\t' : ' '))
  const text = line.split('\t').map(printable).join('\t')
  return [gutter + text, `${indent}${before.join('')}^`]
}
