/** Rules that need not run to their end. */
import type { Block, Func } from './plan.ts'
import { visit } from './visit.ts'

/**
 * The local that holds a body's result, where every body (the default aside) has one and the same constant as its value: the first body
 * that holds settles the rule. OPA's evaluator leaves early in the same way.
 */
export function settledBy({ blocks, returns }: Func): number | undefined {
  let result: number | undefined
  const constants = new Set<unknown>()
  for (const block of blocks) {
    const [first] = block
    if (first?.type === 'IsUndefinedStmt' && first.source === returns) continue
    if (first?.type === 'ReturnLocalStmt') continue
    if (first?.type === 'IsDefinedStmt' && isHandOver(block, first.source, returns)) continue
    if (first?.type !== 'ResetLocalStmt') return undefined
    result ??= first.target
    if (first.target !== result) return undefined
    for (const value of valuesOf(block, result)) constants.add(value)
  }
  return constants.size === 1 && !constants.has(undefined) ? result : undefined
}

/** What the planner ends each body with: a result that is defined is the rule's value. */
function isHandOver(block: Block, result: number, returns: number): boolean {
  const [, then] = block
  return (
    block.length === 2 &&
    then?.type === 'AssignVarOnceStmt' &&
    then.target === returns &&
    'local' in then.source &&
    then.source.local === result
  )
}

/** Constants assigned to `result`; undefined among them for anything else that happens to it. */
function valuesOf(block: Block, result: number): readonly unknown[] {
  const values: unknown[] = []
  visit([block.slice(1)], (statement) => {
    if (statement.type === 'AssignVarOnceStmt')
      values.push(
        statement.target === result && 'constant' in statement.source
          ? statement.source.constant
          : undefined,
      )
    else if (statement.type === 'SetAddStmt' || statement.type === 'ReturnLocalStmt')
      if ('set' in statement ? statement.set === result : true) values.push(undefined)
  })
  return values
}
