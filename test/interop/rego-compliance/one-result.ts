/**
 * A query has any number of results, with any number of bindings; an entry point of a bundle has one, called `result`. The same plan with
 * the set of all its results as its one result lets an engine for entry points answer queries.
 */
import type { Json } from '../../../core/json.ts'

interface Statement {
  readonly type: string
  readonly stmt: { readonly [name: string]: Json }
}
interface Block {
  readonly stmts: readonly Statement[] | null
}
interface Plan {
  readonly static: { readonly strings?: readonly { readonly value: string }[] }
  readonly plans: {
    readonly plans: readonly { readonly name: string; readonly blocks: readonly Block[] }[]
  }
}

export function oneResult(json: Json): Json {
  const plan = json as unknown as Plan
  const strings = plan.static.strings ?? []
  // Locals are numbered; no plan has as many.
  const [set, object] = [90_000, 90_001]
  const plans = plan.plans.plans.map(({ name, blocks }) => ({
    name,
    blocks: [
      { stmts: [made('MakeSetStmt', { target: set })] },
      ...(gathered(blocks as unknown as Json, set) as unknown as Block[]),
      {
        stmts: [
          made('MakeObjectStmt', { target: object }),
          made('ObjectInsertStmt', {
            key: { type: 'string_index', value: strings.length },
            value: { type: 'local', value: set },
            object,
          }),
          made('ResultSetAddStmt', { value: object }),
        ],
      },
    ],
  }))
  const named = { ...plan.static, strings: [...strings, { value: 'result' }] }
  return { ...plan, static: named, plans: { plans } } as unknown as Json
}

function made(type: string, stmt: Statement['stmt']): Statement {
  return { type, stmt: { ...stmt, file: 0, col: 1, row: 1, end_col: 1, end_row: 1 } }
}

type Members = { readonly [name: string]: Json }

/** Each result goes into the set, wherever it is found: blocks lie within statements. */
function gathered(json: Json, set: number): Json {
  if (Array.isArray(json)) return json.map((one) => gathered(one, set))
  if (typeof json !== 'object' || json === null) return json
  const members = json as Members
  if (members.type === 'ResultSetAddStmt') {
    const { value, ...place } = (members as unknown as Statement).stmt
    return { type: 'SetAddStmt', stmt: { ...place, set, value: { type: 'local', value } } } as Json
  }
  return Object.fromEntries(
    Object.entries(members).map(([name, member]) => [name, gathered(member, set)]),
  )
}
