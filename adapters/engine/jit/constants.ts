/** Containers that consist of constants: made once, as nothing fills them later. */
import type { Block, Operand, Statement } from './plan.ts'
import { type At, expression } from './scope.ts'
import { quote } from './text.ts'
import { visit } from './visit.ts'

/**
 * Code for the statement at `i` of `block` where it makes such a container, or belongs to the making of one that was just made; undefined
 * for all others.
 */
export function constantAt(block: Block, i: number, at: At): string | undefined {
  const start = startOf(block, i)
  const made = start === undefined ? undefined : makingAt(block, start, at)
  if (made === undefined || start === undefined || i >= start + 1 + made.count) return undefined
  return i === start ? `l${made.target}=${made.expression};` : ''
}

/** Where the making of a container begins that the statement at `i` may belong to. */
export function startOf(block: Block, i: number): number | undefined {
  let start = i
  while (start > 0 && fills(block[start] as Statement) !== undefined) start--
  const first = block[start] as Statement
  return /^Make(Array|Object|Set)Stmt$/.test(first.type) ? start : undefined
}

interface Making {
  readonly target: number
  readonly count: number
  readonly expression: string
}

function makingAt(block: Block, start: number, at: At): Making | undefined {
  const make = block[start] as Statement & { readonly target: number }
  const { target } = make
  let end = start + 1
  while (block[end] !== undefined && fills(block[end] as Statement) === target) end++
  const count = end - start - 1
  const parts = block.slice(start + 1, end).map(partOf)
  if (count === 0 || parts.includes(undefined) || parts.length !== fillings(target, at))
    return undefined
  const list = parts.join()
  const { program } = at.scope
  if (make.type === 'MakeArrayStmt')
    return { target, count, expression: program.constant(`[${list}]`) }
  const made = make.type === 'MakeSetStmt' ? `RegoSet.of([${list}])` : `R.objectOf([${list}])`
  return { target, count, expression: program.constant(made) }
}

/** How often anything in the function fills the local: other bodies use the number for other things, or for the rule's own value. */
function fillings(target: number, at: At): number {
  const { plan } = at.scope.program
  const { blocks } = plan.functions[at.scope.index] ?? { blocks: [] }
  let count = 0
  visit(blocks.slice(at.body, at.body + 1), (statement) => {
    if (fills(statement) === target) count++
  })
  return plan.functions[at.scope.index]?.returns === target ? -1 : count
}

/** What a statement fills, where that is all it does. */
export function fills(statement: Statement): number | undefined {
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

/** The constant part that a statement adds. */
function partOf(statement: Statement): string | undefined {
  const constant = (operand: Operand): operand is { constant: boolean | string } =>
    'constant' in operand
  if (statement.type === 'ArrayAppendStmt' || statement.type === 'SetAddStmt')
    return constant(statement.value) ? expression(statement.value) : undefined
  if (statement.type !== 'ObjectInsertStmt') return undefined
  const { key, value } = statement
  return constant(key) && constant(value) && typeof key.constant === 'string'
    ? `[${quote(key.constant)},${expression(value)}]`
    : undefined
}
