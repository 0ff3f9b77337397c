/** What the built-ins of one evaluation share. */
import type { Builtin, Context, Failure } from '../builtins/index.ts'
import { nanoseconds } from '../builtins/now.ts'
import { parseValue } from '../value/json.ts'
import { get, type Value } from '../value/value.ts'

/** Built-ins took more steps, or the evaluation more memory, than the policy may. */
export class BudgetExhausted extends Error {}

export class Evaluation implements Context {
  readonly memo: Map<string, Value> = new Map()
  failure: Failure | undefined
  readonly #input: string
  #left: number

  /** @param input JSON; its `now`, in Unix seconds, is the only clock */
  constructor(input: string, maxSteps: number) {
    this.#input = input
    this.#left = maxSteps
  }

  get now(): bigint | undefined {
    return nanoseconds(get(parseValue(this.#input), 'now'))
  }

  spend(steps: number): void {
    this.#left -= steps
    if (this.#left < 0) throw new BudgetExhausted('the step budget is exhausted')
  }

  /** WebAssembly knows no strict mode: an error is undefined. */
  call(builtin: Builtin, operands: Value[]): Value | undefined {
    const value = builtin(this, ...operands)
    if (this.failure === undefined) return value
    this.failure = undefined
    return undefined
  }
}
