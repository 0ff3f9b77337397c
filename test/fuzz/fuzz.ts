/**
 * Coverage-guided fuzzing: inputs that reach code which none reached before are kept and changed further. What a target's property says of
 * an input has to hold for every one; the first that breaks it is made smaller and given back.
 */
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Random, seeded } from '../crash/random.ts'
import { Coverage } from './coverage.ts'
import { mutated } from './mutate.ts'

export interface Target {
  readonly name: string
  /** What `check` asserts, in words: the table in `docs/robustness.md`. */
  readonly property: string
  /** Of the files whose coverage guides, from the repository root. */
  readonly files: RegExp
  readonly seeds: readonly (Uint8Array | string)[]
  /** Words of the format. */
  readonly tokens?: readonly string[]
  /** Throws when the property does not hold. Whether the input was accepted: a target that accepts nothing tests nothing. */
  check(bytes: Uint8Array): boolean | Promise<boolean>
}

export interface FuzzReport {
  readonly runs: number
  readonly accepted: number
  readonly kept: number
  readonly blocks: number
  readonly failure?: { readonly input: Uint8Array; readonly error: unknown }
}

const BATCH = 32
/** No parser may need so long for 16 KiB, on whatever machine. */
const SLOW_MS = 5000
const encoder = new TextEncoder()
const bytesOf = (seed: Uint8Array | string): Uint8Array =>
  typeof seed === 'string' ? encoder.encode(seed) : seed

/** Inputs that once broke a property. */
export function regressions(name: string): readonly Uint8Array[] {
  const folder = join(import.meta.dirname, 'regressions', name)
  mkdirSync(folder, { recursive: true })
  return readdirSync(folder).map((file) => readFileSync(join(folder, file)))
}

class Fuzzing {
  readonly #target: Target
  readonly #random: Random
  readonly #tokens: readonly Uint8Array[]
  readonly #coverage: Coverage
  readonly #corpus: Uint8Array[] = []
  /** Those of them that were accepted: half of all changes begin there, since most others are refused at their first byte. */
  readonly #good: Uint8Array[] = []
  runs = 0
  accepted = 0
  failure: FuzzReport['failure']

  constructor(target: Target, seed: number) {
    this.#target = target
    this.#random = seeded(seed)
    this.#tokens = (target.tokens ?? []).map((token) => encoder.encode(token))
    this.#coverage = new Coverage(target.files)
  }

  async run(until: number): Promise<FuzzReport> {
    for (const seed of [...this.#target.seeds, ...regressions(this.#target.name)]) {
      const bytes = bytesOf(seed)
      const before = this.accepted
      if (!(await this.#holds(bytes))) break
      this.#corpus.push(bytes)
      if (this.accepted > before) this.#good.push(bytes)
    }
    this.#coverage.fresh()
    while (this.failure === undefined && performance.now() < until) await this.#batch()
    this.#coverage.close()
    if (this.failure !== undefined) await this.#shrink()
    return this.#report()
  }

  async #batch(): Promise<void> {
    const inputs = Array.from({ length: BATCH }, () => this.#next())
    const good: Uint8Array[] = []
    for (const input of inputs) {
      const before = this.accepted
      if (!(await this.#holds(input))) return
      if (this.accepted > before) good.push(input)
    }
    if (this.#coverage.fresh() === 0) return
    // Something in the batch was new. To find out what would cost as much as the batch; half of it is kept.
    this.#corpus.push(...inputs.filter(() => this.#random() < 0.5))
    this.#good.push(...good)
  }

  #next(): Uint8Array {
    const from = this.#good.length > 0 && this.#random() < 0.5 ? this.#good : this.#corpus
    const chosen = from[Math.floor(this.#random() * from.length)]
    return mutated(chosen as Uint8Array, this.#random, this.#tokens)
  }

  async #holds(input: Uint8Array): Promise<boolean> {
    const error = await this.#broken(input)
    if (error === undefined) return true
    this.failure = { input, error }
    return false
  }

  async #broken(input: Uint8Array): Promise<unknown> {
    const began = performance.now()
    this.runs++
    try {
      if (await this.#target.check(input)) this.accepted++
    } catch (error) {
      return error ?? new Error('undefined was thrown')
    }
    const tookMs = performance.now() - began
    return tookMs > SLOW_MS ? new Error(`took ${Math.round(tookMs)} ms`) : undefined
  }

  /** Leaves away what is not needed to break the property. */
  async #shrink(): Promise<void> {
    for (let size = 1024; size >= 1; size = Math.floor(size / 2))
      for (let at = 0; at < (this.failure?.input.length ?? 0); ) {
        const { input } = this.failure as NonNullable<FuzzReport['failure']>
        const smaller = new Uint8Array([...input.subarray(0, at), ...input.subarray(at + size)])
        const error = await this.#broken(smaller)
        if (error === undefined) at += size
        else this.failure = { input: smaller, error }
      }
  }

  #report(): FuzzReport {
    const { accepted, failure, runs } = this
    const kept = this.#corpus.length
    const blocks = this.#coverage.blocks
    return { runs, accepted, kept, blocks, ...(failure === undefined ? {} : { failure }) }
  }
}

export function fuzz(target: Target, seconds: number, seed: number): Promise<FuzzReport> {
  return new Fuzzing(target, seed).run(performance.now() + seconds * 1000)
}
