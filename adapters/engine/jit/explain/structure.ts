/**
 * A plan's statements as a trace numbers them, each with the definition and the condition that it was compiled from. Where a local's value
 * comes from is known here without running anything.
 */
import type { Func, Operand, Plan, Statement, StatementOf } from '../plan.ts'
import type { TraceTable } from '../trace.ts'
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
  readonly definitions: readonly Definition[]
}

/** What a trace tells of; the others have no number. */
const TOLD: ReadonlySet<string> = new Set([
  'AssignVarOnceStmt',
  'CallDynamicStmt',
  'CallStmt',
  'DotStmt',
  'EqualStmt',
  'IsArrayStmt',
  'IsDefinedStmt',
  'IsObjectStmt',
  'IsSetStmt',
  'IsUndefinedStmt',
  'NotEqualStmt',
  'NotStmt',
  'ObjectInsertOnceStmt',
  'ScanStmt',
  'SetAddStmt',
  'WithStmt',
])

export class Structure {
  readonly sites: readonly Site[]
  readonly outlines: readonly Outline[]

  /** @throws Error where plan and trace are not of one compilation */
  constructor(plan: Plan, table: TraceTable, definitions: Definitions) {
    const sites: Site[] = []
    this.outlines = plan.functions.map((func, index) => {
      const outliner = new Outliner(func, index, definitions, sites)
      return outliner.outline()
    })
    for (const { blocks } of plan.entries)
      visit(blocks, (statement) => {
        if (isTold(statement)) sites.push(entrySite(statement, sites.length))
      })
    const differs = table.statements.findIndex(
      ({ kind, row }, i) =>
        sites[i]?.statement.type !== kind || sites[i].statement.place.row !== row,
    )
    if (differs >= 0 || table.statements.length !== sites.length)
      throw new Error(`explain: statement ${differs} of the trace is not that of the plan`)
    this.sites = sites
  }
}

function isTold(statement: Statement): boolean {
  return TOLD.has(statement.type) || (statement.type === 'BreakStmt' && statement.index === 0)
}

function entrySite(statement: Statement, number: number): Site {
  return {
    number,
    func: -1,
    body: 0,
    statement,
    definition: undefined,
    conditions: [],
    role: 'order',
  }
}

class Outliner {
  readonly #func: Func
  readonly #index: number
  readonly #definitions: Definitions
  readonly #sites: Site[]
  readonly #fills = new Map<number, Source[]>()
  readonly #sources = new Map<number, Source[]>()
  readonly #calls: { number: number; callee: string }[] = []
  readonly #order = new Map<number, number>()
  readonly #found = new Set<Definition>()
  #at = 0

  constructor(func: Func, index: number, definitions: Definitions, sites: Site[]) {
    this.#func = func
    this.#index = index
    this.#definitions = definitions
    this.#sites = sites
  }

  /** Whether its value is filled member by member, and no literal. */
  get #isPartial(): boolean {
    const { blocks, returns } = this.#func
    const first = blocks[0]?.[0]
    const makes = first?.type === 'MakeSetStmt' || first?.type === 'MakeObjectStmt'
    return makes && first.target === returns
  }

  outline(): Outline {
    for (const [body, block] of this.#func.blocks.entries())
      visit([block], (statement) => this.#add(statement, body))
    return {
      func: this.#func,
      fills: this.#fills,
      sources: this.#sources,
      calls: this.#calls,
      order: this.#order,
      definitions: [...this.#found],
    }
  }

  #add(statement: Statement, body: number): void {
    const at = this.#at++
    const number = isTold(statement) ? this.#sites.length : -1
    const source: Source = { statement, number, at, body }
    for (const local of writes(statement)) push(this.#sources, local, source)
    const filled = filledBy(statement)
    if (filled !== undefined) push(this.#fills, filled, source)
    if (number < 0) return
    this.#order.set(number, at)
    if (statement.type === 'CallStmt') this.#calls.push({ number, callee: statement.func })
    const { file, row, col } = statement.place
    const found = this.#definitions.at(file, row, col)
    if (found !== undefined) this.#found.add(found.definition)
    this.#sites.push({
      number,
      func: this.#index,
      body,
      statement,
      definition: found?.definition,
      conditions: found?.conditions ?? [],
      role: this.#roleOf(statement, found?.definition),
    })
  }

  #roleOf(statement: Statement, definition: Definition | undefined): Role {
    const { params, returns } = this.#func
    const result = Math.max(returns, ...params) + 1
    const ordering = new Set([result, returns])
    switch (statement.type) {
      case 'IsDefinedStmt':
      case 'IsUndefinedStmt':
        return ordering.has(statement.source) ? 'order' : 'step'
      case 'AssignVarOnceStmt':
        if (statement.target === result) return 'head'
        return definition?.isDefault === true ? 'head' : 'order'
      case 'ObjectInsertOnceStmt':
      case 'SetAddStmt':
        return definition !== undefined && this.#isPartial && isHead(statement, definition)
          ? 'head'
          : 'step'
      default:
        return 'step'
    }
  }
}

function isHead({ place }: Statement, { head }: Definition): boolean {
  return place.row === head.row && place.col === head.col
}

type Filling = 'ArrayAppendStmt' | 'ObjectInsertOnceStmt' | 'ObjectInsertStmt' | 'SetAddStmt'

function filledBy(statement: Statement): number | undefined {
  switch (statement.type) {
    case 'ArrayAppendStmt':
      return statement.array
    case 'ObjectInsertOnceStmt':
    case 'ObjectInsertStmt':
      return statement.object
    case 'SetAddStmt':
      return statement.set
    default:
      return undefined
  }
}

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
