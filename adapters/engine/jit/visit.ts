/** Walks over statements: which locals they read and write, and what is nested in them. */
import type { Block, Operand, Plan, Statement } from './plan.ts'

/** Every statement, outer ones first, in the order of the text. */
export function visit(blocks: readonly Block[], see: (statement: Statement) => void): void {
  for (const block of blocks)
    for (const statement of block) {
      see(statement)
      visit(nested(statement), see)
    }
}

export function nested(statement: Statement): readonly Block[] {
  switch (statement.type) {
    case 'BlockStmt':
      return statement.blocks
    case 'NotStmt':
    case 'ScanStmt':
    case 'WithStmt':
      return [statement.block]
    default:
      return []
  }
}

/** Locals that a statement itself reads, what it fills or changes included. */
export function reads(statement: Statement): readonly number[] {
  switch (statement.type) {
    case 'AssignVarStmt':
    case 'IsArrayStmt':
    case 'IsObjectStmt':
    case 'IsSetStmt':
    case 'LenStmt':
      return operands(statement.source)
    case 'CallDynamicStmt':
      return [...statement.args, ...operands(...statement.path)]
    case 'CallStmt':
      return operands(...statement.args)
    case 'DotStmt':
      return operands(statement.source, statement.key)
    case 'EqualStmt':
    case 'NotEqualStmt':
      return operands(statement.a, statement.b)
    case 'IsDefinedStmt':
    case 'IsUndefinedStmt':
    case 'ReturnLocalStmt':
    case 'ScanStmt':
      return [statement.source]
    case 'ObjectMergeStmt':
      return [statement.a, statement.b]
    case 'Result':
      return operands(statement.value)
    case 'ResultSetAddStmt':
      return [statement.value]
    default:
      return changes(statement)
  }
}

/** What is filled or replaced, and with what. */
function changes(statement: Statement): readonly number[] {
  switch (statement.type) {
    case 'ArrayAppendStmt':
      return [statement.array, ...operands(statement.value)]
    case 'AssignVarOnceStmt':
      return [statement.target, ...operands(statement.source)]
    case 'ObjectInsertOnceStmt':
    case 'ObjectInsertStmt':
      return [statement.object, ...operands(statement.key, statement.value)]
    case 'SetAddStmt':
      return [statement.set, ...operands(statement.value)]
    case 'WithStmt':
      return [statement.local, ...operands(statement.value)]
    default:
      return []
  }
}

function operands(...all: readonly Operand[]): readonly number[] {
  return all.flatMap((one) => ('local' in one ? [one.local] : []))
}

/** Locals that a statement itself gives a new value; filling a container or a `with` around a block is not that. */
export function writes(statement: Statement): readonly number[] {
  switch (statement.type) {
    case 'CallDynamicStmt':
    case 'CallStmt':
      return [statement.result]
    case 'ScanStmt':
      return [statement.key, statement.value]
    default:
      return 'target' in statement ? [statement.target] : []
  }
}

/** Whether the plan has such a statement anywhere. */
export function hasKind(plan: Plan, kind: Statement['type']): boolean {
  let found = false
  visit(
    [...plan.functions, ...plan.entries].flatMap(({ blocks }) => blocks),
    ({ type }) => {
      if (type === kind) found = true
    },
  )
  return found
}
