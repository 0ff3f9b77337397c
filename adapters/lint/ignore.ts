/**
 * Directives in comments: `# assay ignore: rule, rule` and Regal's `# regal ignore:rule,rule` keep the rules that they name quiet about
 * the line that they stand on and the next one.
 */
import { type Comment, textOf } from './ast.ts'

export interface Ignore {
  readonly row: number
  readonly col: number
  /** Names without their category. */
  readonly rules: readonly string[]
  readonly ours: boolean
}

const DIRECTIVE = /^\s*(assay|regal) ignore:\s*([\w/-]+(?:\s*,\s*[\w/-]+)*)\s*$/

export function ignoresIn(comments: readonly Comment[]): readonly Ignore[] {
  return comments.flatMap(({ Location: { col, row }, Text }) => {
    const [, who, rules] = textOf(Text).match(DIRECTIVE) ?? []
    if (rules === undefined) return []
    return [{ row, col, rules: rules.split(',').map(nameOf), ours: who === 'assay' }]
  })
}

export function ignores({ row, rules }: Ignore, id: string, at: number): boolean {
  return (at === row || at === row + 1) && rules.includes(nameOf(id))
}

function nameOf(id: string): string {
  return id.trim().replace(/^.*\//, '')
}
