/**
 * Two engines side by side: each question goes to both, and only what both say is an answer. A mistake in one of them, or in the code that
 * it generates, is then a denial and not a wrong decision.
 */
import { canonicalJson } from '../../../core/canonical.ts'
import { sha256Text, toHex } from '../../../core/crypto.ts'
import { EngineError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { DataOperation, Engine, Policy, PolicyInput } from '../../../core/ports/engine.ts'
import { difference } from './difference.ts'

const WHO = 'engine/both'

/**
 * `same`: both gave the same answer, or neither gave one. `uncompared`: one of them came to the end of its steps or its time, so that
 * nothing can be said about the two. `mismatch`: they contradict each other.
 */
export type Comparison =
  | { readonly outcome: 'same' }
  | { readonly outcome: 'uncompared' }
  | Mismatch

/** Nothing in it says what was asked or answered. */
export interface Mismatch {
  readonly outcome: 'mismatch'
  readonly digest: string
  readonly revision: string
  readonly entrypoint: string
  /** Where the answers differ first, see {@link difference}; empty where one of them is no value. */
  readonly pointer: string
  readonly first: Told
  readonly second: Told
}

/** What one engine said. */
export interface Told {
  readonly engine: string
  /** `sha256:<hex>` of the answer's canonical JSON, `undefined`, `unwritable` for what has none, or the code of an error. */
  readonly answer: string
}

export interface BothOptions {
  /** Its answers are the ones that are given. */
  readonly first: Engine
  readonly second: Engine
  /** Told of each comparison. What it throws is the caller's to see. */
  readonly report: (comparison: Comparison) => void
}

/**
 * Evaluations throw what the first engine throws where neither answers, and EngineError `engine_mismatch` where the two differ. What only
 * the second could not finish in its steps or its time is answered by the first alone.
 */
export function createBothEngine(options: BothOptions): Engine {
  const { first, second } = options
  return {
    name: WHO,
    async load(bundle) {
      const one = await first.load(bundle)
      try {
        return new BothPolicy(options, one, await second.load(bundle))
      } catch (error) {
        await one.close()
        throw error
      }
    },
  }
}

/** What came of one evaluation. */
type Said = { readonly value: Json | undefined } | { readonly error: unknown }

class BothPolicy implements Policy {
  readonly digest: string
  readonly revision: string
  readonly entrypoints: readonly string[]
  readonly #options: BothOptions
  readonly #first: Policy
  readonly #second: Policy

  constructor(options: BothOptions, first: Policy, second: Policy) {
    this.digest = first.digest
    this.revision = first.revision
    this.entrypoints = first.entrypoints
    this.#options = options
    this.#first = first
    this.#second = second
  }

  evaluate(entrypoint: string, input: PolicyInput): Json | undefined | Promise<Json | undefined> {
    const one = said(() => this.#first.evaluate(entrypoint, input))
    const two = said(() => this.#second.evaluate(entrypoint, input))
    if (!(one instanceof Promise) && !(two instanceof Promise))
      return this.#agreed(entrypoint, one, two)
    return Promise.all([one, two]).then((both) => this.#agreed(entrypoint, ...both))
  }

  async patch(operations: readonly DataOperation[], revision: string): Promise<Policy> {
    const one = await this.#first.patch(operations, revision)
    try {
      return new BothPolicy(this.#options, one, await this.#second.patch(operations, revision))
    } catch (error) {
      await one.close()
      throw error
    }
  }

  async close(): Promise<void> {
    await Promise.all([this.#first.close(), this.#second.close()])
  }

  #agreed(entrypoint: string, one: Said, two: Said): Json | undefined {
    const { report } = this.#options
    if (isUnfinished(one) || isUnfinished(two)) {
      report({ outcome: 'uncompared' })
      return answerOf(one)
    }
    if ('error' in one && 'error' in two) {
      report({ outcome: 'same' })
      throw one.error
    }
    const pointer = 'error' in one || 'error' in two ? '' : difference(one.value, two.value)
    if (pointer === undefined) {
      report({ outcome: 'same' })
      return answerOf(one)
    }
    report(this.#mismatch(entrypoint, pointer, one, two))
    throw new EngineError(WHO, 'engine_mismatch', `two engines differ on ${entrypoint}`)
  }

  #mismatch(entrypoint: string, pointer: string, one: Said, two: Said): Mismatch {
    const { digest, revision } = this
    const { first, second } = this.#options
    return {
      outcome: 'mismatch',
      digest,
      revision,
      entrypoint,
      pointer,
      first: { engine: first.name, answer: told(one) },
      second: { engine: second.name, answer: told(two) },
    }
  }
}

function said(evaluate: () => Json | undefined | Promise<Json | undefined>): Promise<Said> | Said {
  try {
    const value = evaluate()
    if (!(value instanceof Promise)) return { value }
    return value.then(
      (answer): Said => ({ value: answer }),
      (error: unknown): Said => ({ error }),
    )
  } catch (error) {
    return { error }
  }
}

function answerOf(one: Said): Json | undefined {
  if ('error' in one) throw one.error
  return one.value
}

const UNFINISHED: ReadonlySet<string | undefined> = new Set(['budget_exhausted', 'timeout'])

function isUnfinished(one: Said): boolean {
  return 'error' in one && UNFINISHED.has(codeOf(one.error))
}

function codeOf(error: unknown): string | undefined {
  return error instanceof EngineError ? error.code : undefined
}

function told(one: Said): string {
  if ('error' in one) return codeOf(one.error) ?? 'failed'
  if (one.value === undefined) return 'undefined'
  try {
    return `sha256:${toHex(sha256Text(canonicalJson(one.value)))}`
  } catch {
    // Not JSON, or deeper than is ever written: the difference is told all the same.
    return 'unwritable'
  }
}
