/** What the built-ins of one evaluation share. */
import type { Builtin, Context, Failure } from '../builtins/index.ts'
import { nanoseconds } from '../builtins/now.ts'
import { parseValue } from '../value/json.ts'
import { get, type Value } from '../value/value.ts'
import { BudgetExhausted } from './abort.ts'

export class Evaluation implements Context {
  readonly memo: Map<string, Value> = new Map()
  failure: Failure | undefined
  readonly #clock: bigint | string
  #left: number

  /** @param clock Unix nanoseconds, or the input as JSON: its `now`, in Unix seconds, is the only clock */
  constructor(clock: bigint | string, maxSteps: number) {
    this.#clock = clock
    this.#left = maxSteps
  }

  get now(): bigint | undefined {
    if (typeof this.#clock === 'bigint') return this.#clock
    return nanoseconds(get(parseValue(this.#clock), 'now'))
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
