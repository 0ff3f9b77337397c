/**
 * A plan's statements as a trace numbers them, each with the definition and the condition that it was compiled from. Where a local's value
 * comes from is known here without running anything.
 */
import { fills as filledBy } from '../constants.ts'
import type { Func, Operand, Plan, Statement, StatementOf } from '../plan.ts'
import type { StatementPlace, TraceTable } from '../trace.ts'
import { visit, writes } from '../visit.ts'
import type { Condition, Definition, Definitions } from './definitions.ts'

export interface Site {
  readonly number: number
  readonly func: number
  readonly body: number
  readonly statement: Statement
  /** Undefined for what the planner added outside of any rule. */
  readonly definition: Definition | undefined
  /** From that of the body inwards; empty for the head. */
  readonly conditions: readonly Condition[]
  readonly role: Role
}

/**
 * `head`: the value is given to the rule. `order`: whether a definition is tried at all, or its result taken over; no condition of the
 * policy. `step`: anything else.
 */
export type Role = 'head' | 'order' | 'step'

/** A statement that gives a local its value. */
export interface Source {
  readonly statement: Statement
  /** As a trace numbers it; -1 where a trace does not tell of it. */
  readonly number: number
  /** In the order of the plan's text. */
  readonly at: number
  readonly body: number
}

export interface Outline {
  readonly func: Func
  /** Values that go into a set, an array or an object: the statements that fill it. */
  readonly fills: ReadonlyMap<number, readonly Source[]>
  readonly sources: ReadonlyMap<number, readonly Source[]>
  /** Calls of another function of the plan. */
  readonly calls: readonly { readonly number: number; readonly callee: string }[]
  /** Place in the text, by number. */
  readonly order: ReadonlyMap<number, number>
}

export class Structure {
  readonly sites: readonly Site[]
  readonly outlines: readonly Outline[]

  /** @param plan the one that was compiled: statements are known by what they are, not by what they look like. */
  constructor(plan: Plan, table: TraceTable, definitions: Definitions) {
    const numbers = new Map(table.statements.map(({ statement }, number) => [statement, number]))
    this.sites = table.statements.map((place, number) => siteOf(place, number, plan, definitions))
    this.outlines = plan.functions.map((func) => outlineOf(func, numbers))
  }
}

function siteOf(
  { body, func: index, statement }: StatementPlace,
  number: number,
  plan: Plan,
  definitions: Definitions,
): Site {
  const { file, row, col } = statement.place
  const func = plan.functions[index]
  const found = func && definitions.at(file, row, col)
  return {
    number,
    func: index,
    body,
    statement,
    definition: found?.definition,
    conditions: found?.conditions ?? [],
    role: func === undefined ? 'order' : roleOf(statement, func, found?.definition),
  }
}

function roleOf(statement: Statement, func: Func, definition: Definition | undefined): Role {
  const { params, returns } = func
  const result = Math.max(returns, ...params) + 1
  switch (statement.type) {
    case 'IsDefinedStmt':
    case 'IsUndefinedStmt':
      return [result, returns].includes(statement.source) ? 'order' : 'step'
    case 'AssignVarOnceStmt':
      if (statement.target === result) return 'head'
      return definition?.isDefault === true ? 'head' : 'order'
    case 'ObjectInsertOnceStmt':
    case 'SetAddStmt':
      return isPartial(func) && isHead(statement, definition) ? 'head' : 'step'
    default:
      return 'step'
  }
}

function isHead({ place }: Statement, definition: Definition | undefined): boolean {
  return place.row === definition?.head.row && place.col === definition.head.col
}

/** Whether its value is filled member by member, and no literal. */
function isPartial({ blocks, returns }: Func): boolean {
  const first = blocks[0]?.[0]
  const makes = first?.type === 'MakeSetStmt' || first?.type === 'MakeObjectStmt'
  return makes && first.target === returns
}

function outlineOf(func: Func, numbers: ReadonlyMap<Statement, number>): Outline {
  const fills = new Map<number, Source[]>()
  const sources = new Map<number, Source[]>()
  const order = new Map<number, number>()
  const calls: { number: number; callee: string }[] = []
  let at = 0
  for (const [body, block] of func.blocks.entries())
    visit([block], (statement) => {
      const number = numbers.get(statement) ?? -1
      const source: Source = { statement, number, at: at++, body }
      for (const local of writes(statement)) push(sources, local, source)
      const filled = filledBy(statement)
      if (filled !== undefined) push(fills, filled, source)
      if (number >= 0) order.set(number, source.at)
      if (statement.type === 'CallStmt') calls.push({ number, callee: statement.func })
    })
  return { func, fills, sources, calls, order }
}

type Filling = 'ArrayAppendStmt' | 'ObjectInsertOnceStmt' | 'ObjectInsertStmt' | 'SetAddStmt'

/** Key (of an object) and value that a statement puts into what it fills. */
export function filling(statement: Statement): readonly Operand[] {
  if (filledBy(statement) === undefined) return []
  const { value } = statement as StatementOf<Filling>
  return 'key' in statement ? [statement.key as Operand, value] : [value]
}

function push<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key)
  if (list === undefined) map.set(key, [value])
  else list.push(value)
}
