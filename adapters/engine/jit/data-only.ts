/**
 * Rules that never look at input: their value is a constant of the data, computed once for each revision. Which parts of the data they
 * look at is known too, so that a change elsewhere leaves them alone.
 */
import { CLOCK_AND_CHANCE, REFUSED } from '../builtins/index.ts'
import type { Block, Func, Plan, Statement } from './plan.ts'
import { nested, reads, visit, writes } from './visit.ts'

/** A path into data; everything below it counts. */
export type DataPath = readonly string[]

const INPUT = 0
const DATA = 1
type ByName = ReadonlyMap<string, number>

/** Rules by their index in the plan, with what they look at. A rule that can be told to use other data (`with`) is not among them. */
export function dataOnlyRules(plan: Plan): ReadonlyMap<number, readonly DataPath[]> {
  const byName = new Map(plan.functions.map((func, index) => [func.name, index]))
  const calls = plan.functions.map((func) => callees(func, byName))
  const paths = plan.functions.map((func) =>
    looksAtInput(func, byName) ? undefined : pathsOf(func, byName),
  )
  const rules = new Map<number, readonly DataPath[]>()
  for (const [index, { params }] of plan.functions.entries()) {
    if (params.length !== 2) continue
    const reached = [...reach(index, calls)].map((one) => paths[one])
    if (reached.includes(undefined)) continue
    const distinct = new Map(
      reached.flatMap((all) => all ?? []).map((one) => [JSON.stringify(one), one]),
    )
    rules.set(index, [...distinct.values()])
  }
  return rules
}

/** Whether a change at `changed` can be seen by what looks at `path`. */
export function overlap(path: DataPath, changed: DataPath): boolean {
  const length = Math.min(path.length, changed.length)
  for (let i = 0; i < length; i++) if (path[i] !== changed[i]) return false
  return true
}

function callees(func: Func, byName: ByName): ReadonlySet<number> {
  const found = new Set<number>()
  visit(func.blocks, (statement) => {
    if (statement.type !== 'CallStmt') return
    const index = byName.get(statement.func)
    if (index !== undefined) found.add(index)
  })
  return found
}

function reach(from: number, calls: readonly ReadonlySet<number>[]): ReadonlySet<number> {
  const seen = new Set([from])
  for (const one of seen) for (const next of calls[one] ?? []) seen.add(next)
  return seen
}

/** By itself, the functions it calls aside. */
function looksAtInput(func: Func, byName: ByName): boolean {
  let looks = false
  visit(func.blocks, (statement) => {
    if (statement.type === 'CallDynamicStmt' || statement.type === 'WithStmt') looks = true
    if (statement.type === 'CallStmt') {
      if (CLOCK_AND_CHANCE.has(statement.func) || REFUSED.has(statement.func)) looks = true
      const own = byName.has(statement.func) ? statement.args.slice(1) : statement.args
      if (own.some((arg) => 'local' in arg && arg.local === INPUT)) looks = true
    } else if (reads(statement).includes(INPUT)) looks = true
  })
  return looks
}

/** One step of a reference into data that is not yet known to be used, or to be continued. */
interface Step {
  readonly path: DataPath
  continued: boolean
}

function pathsOf({ blocks }: Func, byName: ByName): readonly DataPath[] {
  const found: DataPath[] = []
  // Bodies use the same numbers for different things.
  for (const block of blocks) {
    const steps: Step[] = []
    const follower = {
      byName,
      steps,
      found,
      known: new Map([[DATA, { path: [], continued: true }]]),
    }
    follow(block, follower)
    found.push(...steps.filter(({ continued }) => !continued).map(({ path }) => path))
  }
  return found
}

interface Follower {
  readonly byName: ByName
  readonly known: Map<number, Step>
  readonly steps: Step[]
  readonly found: DataPath[]
}

function follow(block: Block, follower: Follower): void {
  const { byName, known, steps, found } = follower
  for (const statement of block) {
    const next = stepOf(statement, known)
    for (const local of next === undefined ? usedBy(statement, byName) : []) {
      const step = known.get(local)
      if (step !== undefined) found.push(step.path)
    }
    for (const local of writes(statement)) known.delete(local)
    if (next !== undefined) {
      steps.push(next.step)
      known.set(next.target, next.step)
    }
    for (const inner of nested(statement)) follow(inner, follower)
  }
}

/** Input and data are handed to every function of the plan: what that looks at is counted there. */
function usedBy(statement: Statement, byName: ByName): readonly number[] {
  if (statement.type !== 'CallStmt' || !byName.has(statement.func)) return reads(statement)
  return statement.args.slice(2).flatMap((arg) => ('local' in arg ? [arg.local] : []))
}

function stepOf(
  statement: Statement,
  known: ReadonlyMap<number, Step>,
): { readonly target: number; readonly step: Step } | undefined {
  if (statement.type !== 'DotStmt' && statement.type !== 'AssignVarStmt') return undefined
  const from = 'local' in statement.source ? known.get(statement.source.local) : undefined
  if (from === undefined) return undefined
  if (statement.type === 'AssignVarStmt') {
    from.continued = true
    return { target: statement.target, step: { path: from.path, continued: false } }
  }
  if (!('constant' in statement.key) || typeof statement.key.constant !== 'string') return undefined
  from.continued = true
  return {
    target: statement.target,
    step: { path: [...from.path, statement.key.constant], continued: false },
  }
}
