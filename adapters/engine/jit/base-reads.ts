/** References that lead from `data` itself into base documents: OPA reads those by path, where a number and its text are one name. */
import type { Block, Statement } from './plan.ts'
import { nested, writes } from './visit.ts'

const DATA = 1

/** The steps of such references. A value of the data that was given a name first is a value like any other. */
export function baseReads(blocks: readonly Block[]): ReadonlySet<Statement> {
  const found = new Set<Statement>()
  for (const block of blocks) follow(block, new Set([DATA]), found)
  return found
}

function follow(block: Block, base: Set<number>, found: Set<Statement>): void {
  for (const statement of block) {
    const isStep =
      statement.type === 'DotStmt' &&
      'local' in statement.source &&
      base.has(statement.source.local)
    for (const local of writes(statement)) if (local !== DATA) base.delete(local)
    if (isStep) {
      found.add(statement)
      base.add(statement.target)
    }
    for (const inner of nested(statement)) follow(inner, base, found)
  }
}
