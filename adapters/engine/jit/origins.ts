/**
 * Which locals only ever hold parts of the data. What is kept of containers pays where they are the same ones in the next evaluation; it is
 * right for all others too, so this decides about speed only.
 */
import type { Block, Func, Plan, Statement } from './plan.ts'
import { visit } from './visit.ts'

const DATA = 1

/** By block of a function or an entry point: bodies use the same numbers for different things. */
export type Origins = ReadonlyMap<Block, ReadonlySet<number>>

export function dataLocals(plan: Plan): Origins {
  const params = new Map(plan.functions.map((func) => [func.name, new Set(func.params.slice(2))]))
  for (;;) {
    const origins = new Map<Block, ReadonlySet<number>>()
    for (const { blocks } of plan.entries) see(blocks, new Set(), origins)
    for (const func of plan.functions)
      see(func.blocks, params.get(func.name) as ReadonlySet<number>, origins)
    if (!narrow(plan, params, origins)) return origins
  }
}

function see(
  blocks: readonly Block[],
  params: ReadonlySet<number>,
  into: Map<Block, ReadonlySet<number>>,
): void {
  for (const block of blocks) {
    const held = new Set([DATA, ...params])
    const others = new Set<number>()
    visit([block], (statement) => {
      const target = targetOf(statement)
      if (target !== undefined && held.has(target.from) && !others.has(target.to))
        held.add(target.to)
      else for (const local of otherTargets(statement)) others.add(local)
    })
    into.set(block, held.difference(others))
  }
}

/** The value that a statement takes out of another, or hands on. */
function targetOf(
  statement: Statement,
): { readonly from: number; readonly to: number } | undefined {
  if (statement.type === 'ScanStmt') return { from: statement.source, to: statement.value }
  if (statement.type !== 'DotStmt' && statement.type !== 'AssignVarStmt') return undefined
  const { source, target } = statement
  return 'local' in source ? { from: source.local, to: target } : undefined
}

function otherTargets(statement: Statement): readonly number[] {
  if (statement.type === 'ScanStmt') return [statement.key, statement.value]
  if ('result' in statement) return [statement.result]
  return 'target' in statement && statement.type !== 'ResetLocalStmt' ? [statement.target] : []
}

/** Takes away the parameters that some call gives something else. */
function narrow(plan: Plan, params: ReadonlyMap<string, Set<number>>, origins: Origins): boolean {
  const functions = new Map(plan.functions.map((func) => [func.name, func]))
  let changed = false
  for (const block of [...plan.functions, ...plan.entries].flatMap(({ blocks }) => blocks))
    visit([block], (statement) => {
      if (statement.type !== 'CallStmt') return
      const func = functions.get(statement.func)
      if (func === undefined) return
      for (const local of strangers(
        func,
        statement.args,
        origins.get(block) as ReadonlySet<number>,
      ))
        if (params.get(func.name)?.delete(local) === true) changed = true
    })
  return changed
}

function strangers(
  func: Func,
  args: readonly ({ readonly local: number } | { readonly constant: unknown })[],
  held: ReadonlySet<number>,
): readonly number[] {
  return func.params.filter((_, i) => {
    const arg = args[i]
    return i > 1 && !(arg !== undefined && 'local' in arg && held.has(arg.local))
  })
}
