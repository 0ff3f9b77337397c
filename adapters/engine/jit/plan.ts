/**
 * OPA's IR plan, read and checked: every operand is what its statement takes, every string is in its place. What comes out of here can be
 * written into a program without further thought.
 *
 * @see OPA's v1/ir/ir.go, https://www.openpolicyagent.org/docs/ir
 */
import type { Json } from '../../../core/json.ts'
import { type RegoNumber, readNumber } from '../value/number.ts'

export class PlanError extends Error {}

/** A local's number, or a constant. */
export type Operand = { readonly local: number } | { readonly constant: boolean | string }

interface Fields {
  readonly block: Block
  readonly blocks: readonly Block[]
  readonly integer: number
  readonly local: number
  readonly locals: readonly number[]
  readonly name: string
  readonly number: RegoNumber
  readonly operand: Operand
  readonly operands: readonly Operand[]
  readonly path: readonly string[]
}

/** All 34 kinds of statement and what each carries. */
const SHAPES = {
  ArrayAppendStmt: { array: 'local', value: 'operand' },
  AssignIntStmt: { target: 'local', value: 'integer' },
  AssignVarOnceStmt: { source: 'operand', target: 'local' },
  AssignVarStmt: { source: 'operand', target: 'local' },
  BlockStmt: { blocks: 'blocks' },
  BreakStmt: { index: 'integer' },
  CallDynamicStmt: { args: 'locals', path: 'operands', result: 'local' },
  CallStmt: { args: 'operands', func: 'name', result: 'local' },
  DotStmt: { key: 'operand', source: 'operand', target: 'local' },
  EqualStmt: { a: 'operand', b: 'operand' },
  IsArrayStmt: { source: 'operand' },
  IsDefinedStmt: { source: 'local' },
  IsObjectStmt: { source: 'operand' },
  IsSetStmt: { source: 'operand' },
  IsUndefinedStmt: { source: 'local' },
  LenStmt: { source: 'operand', target: 'local' },
  MakeArrayStmt: { target: 'local' },
  MakeNullStmt: { target: 'local' },
  MakeNumberIntStmt: { target: 'local', value: 'integer' },
  MakeNumberRefStmt: { Index: 'number', target: 'local' },
  MakeObjectStmt: { target: 'local' },
  MakeSetStmt: { target: 'local' },
  NopStmt: {},
  NotEqualStmt: { a: 'operand', b: 'operand' },
  NotStmt: { block: 'block' },
  ObjectInsertOnceStmt: { key: 'operand', object: 'local', value: 'operand' },
  ObjectInsertStmt: { key: 'operand', object: 'local', value: 'operand' },
  ObjectMergeStmt: { a: 'local', b: 'local', target: 'local' },
  ResetLocalStmt: { target: 'local' },
  ResultSetAddStmt: { value: 'local' },
  ReturnLocalStmt: { source: 'local' },
  ScanStmt: { block: 'block', key: 'local', source: 'local', value: 'local' },
  SetAddStmt: { set: 'local', value: 'operand' },
  WithStmt: { block: 'block', local: 'local', path: 'path', value: 'operand' },
} as const
type Shapes = typeof SHAPES
export type Kind = keyof Shapes

/** Where in the sources a statement comes from; rows and columns are 1-based. */
export interface Place {
  readonly file: string
  readonly row: number
  readonly col: number
  readonly endRow: number
  readonly endCol: number
}
export type StatementOf<K extends Kind> = {
  readonly [F in keyof Shapes[K]]: Fields[Shapes[K][F] & keyof Fields]
} & { readonly type: K; readonly place: Place }
/** Not of OPA's: the one result of an entry point. */
export interface Result {
  readonly type: 'Result'
  readonly value: Operand
  readonly place: Place
}
export type Statement = { [K in Kind]: StatementOf<K> }[Kind] | Result
export type Block = readonly Statement[]

export interface Func {
  readonly name: string
  /** Generation and path: `['g0', 'p', 'allow']`; empty where nothing can look it up. */
  readonly path: readonly string[]
  /** Input, data, values that `with` puts in place of functions, then the function's own. */
  readonly params: readonly number[]
  readonly returns: number
  readonly blocks: readonly Block[]
}
export interface EntryPlan {
  readonly name: string
  readonly blocks: readonly Block[]
}
export interface Plan {
  readonly functions: readonly Func[]
  readonly entries: readonly EntryPlan[]
  /** Built-ins that it calls; `isVoid`: it has no result. */
  readonly builtins: ReadonlyMap<string, { readonly isVoid: boolean }>
}

/** The same statements with other locals. */
export function renamed(block: Block, name: (local: number) => number): Block {
  return block.map((statement) => {
    if (statement.type === 'Result') return { ...statement, value: operand(statement.value, name) }
    const made: { [field: string]: unknown } = { ...statement }
    for (const [field, kind] of Object.entries(SHAPES[statement.type]))
      made[field] = renamedField(kind, made[field], name)
    return made as unknown as Statement
  })
}

function renamedField(
  kind: keyof Fields,
  value: unknown,
  name: (local: number) => number,
): unknown {
  switch (kind) {
    case 'block':
      return renamed(value as Block, name)
    case 'blocks':
      return (value as readonly Block[]).map((one) => renamed(one, name))
    case 'local':
      return name(value as number)
    case 'locals':
      return (value as readonly number[]).map(name)
    case 'operand':
      return operand(value as Operand, name)
    case 'operands':
      return (value as readonly Operand[]).map((one) => operand(one, name))
    default:
      return value
  }
}

function operand(value: Operand, name: (local: number) => number): Operand {
  return 'local' in value ? { local: name(value.local) } : value
}

/** @throws PlanError it is no plan that this version understands */
export function readPlan(json: Json): Plan {
  return new Reader(record(json)).plan()
}

type Members = { readonly [name: string]: Json | undefined }

class Reader {
  readonly #json: Members
  readonly #strings: readonly string[]
  readonly #files: readonly string[]
  readonly #called = new Set<string>()

  constructor(json: Members) {
    this.#json = json
    const { strings, files } = record(json.static ?? {})
    this.#strings = list(strings).map((one) => text(record(one).value))
    this.#files = list(files).map((one) => text(record(one).value))
  }

  plan(): Plan {
    const { static: fixed, plans, funcs } = this.#json
    const entries = list(record(plans ?? null).plans).map((one) => this.#entry(record(one)))
    const functions = list(record(funcs ?? {}).funcs).map((one) => this.#func(record(one)))
    if (new Set(functions.map(({ name }) => name)).size !== functions.length)
      throw new PlanError('two functions have one name')
    const declared = list(record(fixed ?? {}).builtin_funcs).map(record)
    const builtins = new Map(
      declared.map(({ name, decl }) => [
        text(name),
        { isVoid: record(decl ?? {}).result === undefined },
      ]),
    )
    const callable = new Set([...functions.map(({ name }) => name), ...builtins.keys()])
    if (![...this.#called].every((name) => callable.has(name)))
      throw new PlanError('a call of what the plan neither has nor declares')
    return { functions, entries, builtins }
  }

  #entry({ name, blocks }: Members): EntryPlan {
    return { name: text(name), blocks: this.#blocks(blocks) }
  }

  #func({ name, path, params, return: returns, blocks }: Members): Func {
    const locals = list(params).map(local)
    if (locals.length < 2) throw new PlanError('a function without input and data')
    return {
      name: text(name),
      path: list(path).map(text),
      params: locals,
      returns: local(returns),
      blocks: this.#blocks(blocks),
    }
  }

  #blocks(json: Json | undefined): readonly Block[] {
    return list(json).map((one) => this.#block(one))
  }

  #block(json: Json | undefined): Block {
    return list(record(json ?? null).stmts).map((one) => this.#statement(record(one)))
  }

  #statement({ type, stmt }: Members): Statement {
    if (typeof type !== 'string' || !Object.hasOwn(SHAPES, type))
      throw new PlanError('a statement of a kind that this version does not know')
    const members = record(stmt ?? null)
    const made: { [name: string]: unknown } = { type, place: this.#place(members) }
    for (const [name, kind] of Object.entries(SHAPES[type as Kind]))
      made[name] = this.#field(kind, members[name])
    if (type === 'CallStmt') this.#called.add(text(members.func))
    return made as unknown as Statement
  }

  #field(kind: keyof Fields, json: Json | undefined): unknown {
    switch (kind) {
      case 'block':
        return this.#block(json)
      case 'blocks':
        return this.#blocks(json)
      case 'integer':
        return integer(json)
      case 'local':
        return local(json)
      case 'locals':
        return list(json).map(local)
      case 'name':
        return text(json)
      case 'number':
        return this.#number(json)
      case 'operand':
        return this.#operand(json)
      case 'operands':
        return list(json).map((one) => this.#operand(one))
      case 'path':
        return list(json).map((one) => this.#string(one))
    }
  }

  #operand(json: Json | undefined): Operand {
    const { type, value } = record(json ?? null)
    if (type === 'local') return { local: local(value) }
    if (type === 'bool' && typeof value === 'boolean') return { constant: value }
    if (type === 'string_index') return { constant: this.#string(value) }
    throw new PlanError('an operand of a kind that this version does not know')
  }

  #string(json: Json | undefined): string {
    const found = this.#strings[local(json)]
    if (found === undefined) throw new PlanError('a string that the plan does not have')
    return found
  }

  #number(json: Json | undefined): RegoNumber {
    // Rego lets a number begin with its point.
    const number = readNumber(this.#string(json).replace(/^(-?)\./, '$10.'))
    if (number === undefined) throw new PlanError('a number that is none')
    return number
  }

  #place({ file, row, col, end_row, end_col }: Members): Place {
    const at = (json: Json | undefined): number => (typeof json === 'number' ? json : 0)
    return {
      file: this.#files[at(file)] ?? '',
      row: at(row),
      col: at(col),
      endRow: at(end_row),
      endCol: at(end_col),
    }
  }
}

function record(json: Json): Members {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw new PlanError('an object is missing')
  return json as Members
}

/** Go writes an empty list as null or leaves it out. */
function list(json: Json | undefined): readonly Json[] {
  if (json === undefined || json === null) return []
  if (!Array.isArray(json)) throw new PlanError('a list is missing')
  return json as readonly Json[]
}

function text(json: Json | undefined): string {
  if (typeof json !== 'string') throw new PlanError('a text is missing')
  return json
}

function integer(json: Json | undefined): number {
  if (!Number.isSafeInteger(json)) throw new PlanError('an integer is missing')
  return json as number
}

function local(json: Json | undefined): number {
  const value = integer(json)
  if (value < 0 || value > 1e6) throw new PlanError('a local out of range')
  return value
}
