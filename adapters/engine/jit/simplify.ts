/** The same plan with less in it: what OPA's planner writes for the general case is often a special one. */
import { fused } from './fusion.ts'
import type { Block, Plan, Statement, StatementOf } from './plan.ts'

export function simplified(plan: Plan): Plan {
  return {
    ...plan,
    functions: plan.functions.map((func) => fused({ ...func, blocks: func.blocks.map(simpler) })),
    entries: plan.entries.map((entry) => ({
      ...entry,
      blocks: entry.blocks.map((block) => bareResults(simpler(block))),
    })),
  }
}

function simpler(block: Block): Block {
  return block.flatMap((statement): readonly Statement[] => {
    switch (statement.type) {
      case 'BlockStmt':
        return steps(statement) ?? [{ ...statement, blocks: statement.blocks.map(simpler) }]
      case 'NotStmt':
      case 'ScanStmt':
      case 'WithStmt':
        return [{ ...statement, block: simpler(statement.block) }]
      default:
        return [statement]
    }
  })
}

/**
 * A reference to base documents without rules beside them: two blocks whose only end is the one or the other side of everything. Its steps
 * end the block around them as well by themselves.
 */
function steps({ blocks }: StatementOf<'BlockStmt'>): Block | undefined {
  const [outer, ...others] = blocks
  const [within, leave, ...rest] = outer ?? []
  if (others.length + rest.length > 0 || within?.type !== 'BlockStmt') return undefined
  const [inner, ...more] = within.blocks
  const last = inner?.at(-1)
  if (inner === undefined || more.length > 0 || !leaves(leave) || !leaves(last)) return undefined
  const found = inner.slice(0, -1)
  return found.every(({ type }) => type === 'DotStmt' || type === 'AssignVarStmt')
    ? found
    : undefined
}

function leaves(statement: Statement | undefined): boolean {
  return statement?.type === 'BreakStmt' && statement.index === 1
}

/** An entry point's result, without the object around it. */
function bareResults(block: Block): Block {
  const found: Statement[] = []
  for (const statement of block) {
    found.push(statement)
    const value = bareResult(found.slice(-3))
    if (value !== undefined) found.splice(-3, 3, value)
  }
  return found
}

function bareResult([make, insert, add]: Block): Statement | undefined {
  if (make?.type !== 'MakeObjectStmt' || insert?.type !== 'ObjectInsertStmt') return undefined
  const { key, object, value, place } = insert
  const isOne =
    add?.type === 'ResultSetAddStmt' &&
    object === make.target &&
    add.value === object &&
    'constant' in key &&
    key.constant === 'result'
  return isOne ? { type: 'Result', value, place } : undefined
}
