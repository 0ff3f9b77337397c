/**
 * What a program that was compiled with `trace: true` tells about one evaluation, in the order in which it happens. Such a program takes no
 * short cut: no early exit, no index, no value kept from an earlier evaluation; sets and objects are scanned in Rego's order.
 *
 * Events nest: `enter`/`leave` of a function, `open`/`close` of a scan, a negation or a `with`. Where an evaluation ends with an error, or a
 * break leaves several blocks at once, the closing event of what was left is missing: the next `leave` or `close` ends it.
 */
import type { Value } from '../value/value.ts'
import type { Statement } from './plan.ts'

/** A value that a statement saw; undefined where Rego's is. Do not change it, nor keep it for longer than the evaluation's answer. */
export type Seen = Value | undefined

export interface Trace {
  /** A rule or a function begins. `args` are a function's own, without input and data. */
  enter(func: number, args: readonly Seen[]): void
  /** It ends with its value. */
  leave(func: number, value: Seen): void
  /** A rule is asked for again: its value is known from an earlier `enter` of this evaluation. */
  again(func: number, value: Seen): void
  /** A scan, a negation or a `with` begins. `values`: what is scanned, or the value put in place. */
  open(statement: number, values: readonly Seen[]): void
  /** A scan comes to an element (key and value of an object, index and element of an array, the member twice of a set). */
  element(statement: number, key: Value, value: Value): void
  close(statement: number): void
  /** A condition held, a value was found, or the head of a body was reached (`AssignVarOnceStmt`, `SetAddStmt`, `ObjectInsertOnceStmt`). */
  passed(statement: number, values: readonly Seen[]): void
  /**
   * The statement ended its block. `values` are the operands it saw, for a call followed by its result where there is one: both sides of a
   * comparison, container and key of a reference.
   */
  failed(statement: number, values: readonly Seen[]): void
}

/** Of what a statement's number stands for. */
export interface StatementPlace {
  /** Path of the source, as given to the compiler. */
  readonly file: string
  /** 1-based; of the expression that the statement was compiled from. */
  readonly row: number
  readonly col: number
  readonly endRow: number
  readonly endCol: number
  /** Name of the statement in OPA's IR, such as `EqualStmt`. */
  readonly kind: string
  /** As the plan has it; what is computed once and kept, such as a literal without variables, is not among those that a trace tells of. */
  readonly statement: Statement
  /** What a `CallStmt` calls: a function's name in the plan, or a built-in's. */
  readonly callee?: string
  /** The constant key of a `DotStmt`. */
  readonly key?: string
  /** Index in {@link TraceTable.functions}; -1 in an entry point's own plan. */
  readonly func: number
  /** Which block of the function or plan it stands in: the bodies of a rule, in the plan's order. */
  readonly body: number
}

export interface FunctionPlace {
  /** Its name in the plan: `g0.data.<path>`, a generation before the reference. */
  readonly name: string
  /** Without `data` and generation: `['p', 'allow']`. Empty where the plan names none. */
  readonly path: readonly string[]
  /** Arguments besides input and data: 0 for a rule. */
  readonly arity: number
}

export interface TraceTable {
  readonly functions: readonly FunctionPlace[]
  readonly statements: readonly StatementPlace[]
}
