/**
 * Bodies of a set that scan the same collection, as in `deny contains a if { some x in xs; not p(x) }` beside
 * `deny contains b if { some x in xs; p(x); not q(x) }`: one scan, in which each has its turn, and what they ask alike is asked once.
 */
import { type Block, type Func, renamed, type Statement, type StatementOf } from './plan.ts'
import { scanKeys } from './scan-keys.ts'
import { nested, reads, visit, writes } from './visit.ts'

export function fused(func: Func): Func {
  const rooms = new Rooms(func)
  const blocks: Block[] = []
  for (const block of func.blocks) {
    const before = blocks.at(-1)
    const both =
      before !== undefined && onlyAdds(before, func.returns) && onlyAdds(block, func.returns)
        ? merged(before, block, rooms)
        : undefined
    if (both === undefined) blocks.push(block)
    else blocks[blocks.length - 1] = both
  }
  return blocks.length === func.blocks.length ? func : { ...func, blocks }
}

/** Statements whose order against another body's nobody can tell, but for which error comes first. */
const ORDERED: ReadonlySet<string> = new Set([
  'AssignVarOnceStmt',
  'CallDynamicStmt',
  'ObjectInsertOnceStmt',
  'ObjectMergeStmt',
  'ResultSetAddStmt',
  'ReturnLocalStmt',
  'WithStmt',
])

/** Whether all that comes of the block is members of the set. */
function onlyAdds(block: Block, set: number): boolean {
  let adds = 0
  let others = 0
  visit([block], (statement) => {
    if (statement.type === 'SetAddStmt' && statement.set === set) adds++
    else if (touches(statement, set) || ORDERED.has(statement.type)) others++
  })
  return adds > 0 && others === 0
}

function touches(statement: Statement, local: number): boolean {
  return reads(statement).includes(local) || writes(statement).includes(local)
}

/** Locals that nobody has yet. */
class Rooms {
  #next: number | undefined
  readonly #func: Func

  constructor(func: Func) {
    this.#func = func
  }

  fresh(): number {
    this.#next ??= 1 + Math.max(this.#func.returns, ...this.#func.params, ...localsOf(this.#func))
    return this.#next++
  }
}

function localsOf({ blocks }: Func): ReadonlySet<number> {
  const locals = new Set<number>()
  visit(blocks, (statement) => {
    for (const local of [...reads(statement), ...writes(statement)]) locals.add(local)
  })
  return locals
}

/** Undefined where they do not both come to the same scan. */
function merged(a: Block, b: Block, rooms: Rooms): Block | undefined {
  const shared = sharedStart(a, b)
  const [one, other] = [a[shared], b[shared]]
  if (one?.type !== 'ScanStmt' || other?.type !== 'ScanStmt') return undefined
  if (shared !== a.length - 1 || shared !== b.length - 1 || !scanAlike(one, other)) return undefined
  const start = a.slice(0, shared)
  const kept = new Set([...writtenIn(start), one.key, one.value])
  const block = merged(one.block, other.block, rooms) ?? inTurn(one.block, other.block, kept, rooms)
  if (block === undefined) return undefined
  const scan = { ...one, block }
  // An index is worth more.
  const keys = scanKeys(scan).length
  return scanKeys(one).length === keys && scanKeys(other).length === keys
    ? [...start, scan]
    : undefined
}

function scanAlike(a: StatementOf<'ScanStmt'>, b: StatementOf<'ScanStmt'>): boolean {
  return a.source === b.source && a.key === b.key && a.value === b.value
}

/** What both begin with, and then one after the other; the second with locals of its own. `kept` has to stay as it is for it. */
function inTurn(a: Block, b: Block, kept: ReadonlySet<number>, rooms: Rooms): Block | undefined {
  const shared = sharedStart(a, b)
  const start = a.slice(0, shared)
  const [first, second] = [a.slice(shared), b.slice(shared)]
  const fixed = new Set([...kept, ...writtenIn(start)])
  const own = writtenIn(second)
  if (!own.isDisjointFrom(fixed) || !writtenIn(first).isDisjointFrom(fixed)) return undefined
  const place = first[0]?.place ?? second[0]?.place
  if (place === undefined || !staysWithin(first, 0) || !staysWithin(second, 0)) return undefined
  const names = new Map([...own].map((local) => [local, rooms.fresh()]))
  const blocks = [first, renamed(second, (local) => names.get(local) ?? local)]
  return [...start, { type: 'BlockStmt', blocks, place }]
}

/** Statements that do nothing but read, ask and name. */
const PLAIN: ReadonlySet<string> = new Set([
  'AssignIntStmt',
  'AssignVarStmt',
  'CallStmt',
  'DotStmt',
  'EqualStmt',
  'IsArrayStmt',
  'IsDefinedStmt',
  'IsObjectStmt',
  'IsSetStmt',
  'LenStmt',
  'MakeNullStmt',
  'MakeNumberIntStmt',
  'NotEqualStmt',
  'ResetLocalStmt',
])

/** How many statements they have in common at their beginning. */
function sharedStart(a: Block, b: Block): number {
  let shared = 0
  for (const statement of a) {
    const other = b[shared]
    if (other === undefined || !PLAIN.has(statement.type) || textOf(statement) !== textOf(other))
      break
    shared++
  }
  return shared
}

function textOf({ place, ...statement }: Statement): string {
  return JSON.stringify(statement)
}

function writtenIn(block: Block): ReadonlySet<number> {
  const locals = new Set<number>()
  visit([block], (statement) => {
    for (const local of writes(statement)) locals.add(local)
  })
  return locals
}

/** Whether nothing leaves more than the block. */
function staysWithin(block: Block, depth: number): boolean {
  return block.every((statement) => {
    if (statement.type === 'BreakStmt') return statement.index <= depth
    const inside = depth + (statement.type === 'ScanStmt' ? 2 : 1)
    return nested(statement).every((below) => staysWithin(below, inside))
  })
}
