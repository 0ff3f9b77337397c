/** Arrays and objects that are made and filled in one go: literals, which JavaScript makes faster than it fills them. */
import { fills, startOf } from './constants.ts'
import type { Block, Statement, StatementOf } from './plan.ts'
import { type At, expression } from './scope.ts'
import { PRICE, pay, quote } from './text.ts'
import { reads, visit, writes } from './visit.ts'

/** Code for the statement at `i` of `block` where it makes such a container or fills one that was just made; undefined for all others. */
export function literalAt(block: Block, i: number): string | undefined {
  const start = startOf(block, i)
  const made = start === undefined ? undefined : literalFrom(block, start)
  if (made === undefined || start === undefined || i >= start + 1 + made.count) return undefined
  if (i !== start) return ''
  return `${pay(PRICE.container + made.count)}l${made.target}=${made.text};`
}

interface Literal {
  readonly target: number
  /** Statements that fill it. */
  readonly count: number
  readonly parts: readonly string[]
  readonly text: string
}

function literalFrom(block: Block, start: number): Literal | undefined {
  const make = block[start]
  if (make?.type !== 'MakeArrayStmt' && make?.type !== 'MakeObjectStmt') return undefined
  const parts: string[] = []
  for (const statement of block.slice(start + 1)) {
    const part = fills(statement) === make.target ? partOf(statement, make.target) : undefined
    if (part === undefined) break
    parts.push(part)
  }
  const list = parts.join()
  const text = make.type === 'MakeArrayStmt' ? `[${list}]` : `{${list}}`
  return parts.length === 0 ? undefined : { target: make.target, count: parts.length, parts, text }
}

function partOf(statement: Statement, into: number): string | undefined {
  if (statement.type === 'ArrayAppendStmt')
    return reads(statement).filter((local) => local === into).length > 1
      ? undefined
      : expression(statement.value)
  if (statement.type !== 'ObjectInsertStmt' || !('constant' in statement.key)) return undefined
  const { key, value } = statement
  // In a literal this name sets the prototype.
  if (typeof key.constant !== 'string' || key.constant === '__proto__') return undefined
  if ('local' in value && value.local === into) return undefined
  return `${quote(key.constant)}:${expression(value)}`
}

/** A call of `sprintf` with a format that only puts texts and integers in their places. */
export interface Formatted {
  readonly call: StatementOf<'CallStmt'>
  readonly values: Literal
  /** True where the values are such texts and integers, and the text that they make. */
  readonly test: string
  readonly made: string
}

/**
 * The call of `sprintf` whose list of values is made at `start` of `block`, for nothing else. Its usual case is a concatenation; undefined
 * for everything else.
 */
export function formattedAt(block: Block, start: number, at: At): Formatted | undefined {
  const values = literalFrom(block, start)
  if (values === undefined || at.scope.index < 0) return undefined
  const call = block[start + 1 + values.count]
  if (call?.type !== 'CallStmt' || call.func !== 'sprintf') return undefined
  const [format, list, ...more] = call.args
  if (format === undefined || !('constant' in format) || typeof format.constant !== 'string')
    return undefined
  if (list === undefined || !('local' in list) || more.length > 0) return undefined
  if (list.local !== values.target || uses(values.target, at) !== values.count + 2) return undefined
  const shape = shapeOf(format.constant, values.parts)
  return shape && { call, values, ...shape }
}

/** How many statements of the body have anything to do with the local. */
function uses(local: number, at: At): number {
  let count = 0
  const body = at.scope.program.plan.functions[at.scope.index]?.blocks[at.body]
  visit(body === undefined ? [] : [body], (statement) => {
    if ([...reads(statement), ...writes(statement)].includes(local)) count++
  })
  return count
}

const DIRECTIVE = /%(.?)/s

function shapeOf(
  format: string,
  values: readonly string[],
): Pick<Formatted, 'made' | 'test'> | undefined {
  // Texts and directives in turn.
  const pieces = format.split(DIRECTIVE)
  if (pieces.length !== 2 * values.length + 1) return undefined
  const tests: string[] = []
  const parts = pieces.map((piece, i) => {
    if (i % 2 === 0) return quote(piece)
    const value = values[(i - 1) / 2] as string
    const test = TESTS[piece]?.(value)
    if (test !== undefined) tests.push(test)
    return value
  })
  if (tests.length !== values.length) return undefined
  return { test: tests.join('&&'), made: parts.join('+') }
}

const isText = (value: string): string => `typeof ${value}==='string'`
const isInt = (value: string): string => `typeof ${value}==='number'&&(${value}|0)===${value}`

const TESTS: Readonly<Record<string, (value: string) => string>> = {
  d: isInt,
  s: isText,
  v: (value) => `(${isText(value)}||${isInt(value)})`,
}
