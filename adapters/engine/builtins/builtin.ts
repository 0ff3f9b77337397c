/** What a built-in is to an engine. */
import type { Value } from '../value/value.ts'

/** One evaluation, as its built-ins see it. */
export interface Context {
  /** The decision's own time in Unix nanoseconds: the `now` fact. Undefined where the input has none. */
  readonly now: bigint | undefined
  /** What a built-in computes once in an evaluation, such as the value of `rand.intn` for one name. */
  readonly memo: Map<string, Value>
  /** Set by {@link fail}; an engine in strict mode ends the evaluation with it. */
  failure: Failure | undefined
  /** Counts work that the policy's text does not show, such as the elements of a range. @throws where the step budget is exhausted */
  spend(steps: number): void
}

/** OPA's error codes of built-ins. */
export interface Failure {
  readonly code: 'eval_builtin_error' | 'eval_type_error'
  readonly message: string
}

/** Undefined is Rego's undefined: nothing at all, or, after {@link fail}, an error. Never throws for what a policy can hand it. */
export type Builtin = (context: Context, ...operands: Value[]) => Value | undefined

export type Family = Readonly<Record<string, Builtin>>

/** An operand of another type than the built-in takes. Messages name no value. */
export function typeFailure(context: Context, message: string): undefined {
  context.failure = { code: 'eval_type_error', message }
}

/** Operands of the right types that cannot be computed, such as a division by zero. Messages name no value. */
export function fail(context: Context, message: string): undefined {
  context.failure = { code: 'eval_builtin_error', message }
}
