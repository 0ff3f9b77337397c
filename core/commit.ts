/**
 * Group commit and sealing. Order: (a) effects and leaves commit durably, many decisions in one write; (b) the head is derived from those
 * rows; (c) only such a head is signed, once a group; (d) the answers leave. A root that is not on disk is never signed.
 */
import { NoDecision, StoreError } from './error.ts'
import type { Clock } from './ports/clock.ts'
import type { LogStore } from './ports/logstore.ts'
import type { Batch, Key, Outcome, Store } from './ports/store.ts'
import type { Proof, Sealer } from './seal.ts'

/** One decision on its way into the log. */
export interface Entry {
  readonly id: string
  readonly batch: Batch
  readonly leafHash: Uint8Array
  /** Clock reading that the decision was made with; too old at the commit means that it is made again. */
  readonly startedAt: number
  readonly waitForSeal: boolean
}

/** `proof` is there when the caller waited for the seal and the head could be signed. */
export interface Committed {
  readonly index: bigint
  readonly proof?: Proof
}
/** The decision has to be made again: a guarded read changed, or it waited for too long. */
export type Retry = { readonly conflict: Key } | { readonly stale: true }

export interface CommitLimits {
  /** Decisions in one group. */
  readonly maxGroup: number
  readonly maxDecisionAgeMs: number
}

interface Waiting {
  readonly entry: Entry
  readonly resolve: (committed: Committed | Retry) => void
  readonly reject: (error: unknown) => void
}

export class Committer {
  readonly #store: Store
  readonly #log: LogStore
  readonly #clock: Clock
  readonly #sealer: Sealer
  readonly #limits: CommitLimits
  readonly #queue: Waiting[] = []
  #running: Promise<void> | undefined
  #failed = false

  constructor(store: Store, log: LogStore, clock: Clock, sealer: Sealer, limits: CommitLimits) {
    this.#store = store
    this.#log = log
    this.#clock = clock
    this.#sealer = sealer
    this.#limits = limits
  }

  /** The last group could not be written. */
  get failed(): boolean {
    return this.#failed
  }

  /** @throws NoDecision `unavailable` (nothing happened), `unknown_outcome` (fetch it by id) */
  submit(entry: Entry): Promise<Committed | Retry> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ entry, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Resolves when everything that was submitted is answered. */
  async drained(): Promise<void> {
    await this.#running
    await this.#sealer.idle()
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      // Let the requests that arrived together reach the queue: they share one fsync and one signature.
      await nextTurn()
      const group = this.#take()
      if (group.length > 0) await this.#commit(group)
    }
    this.#running = undefined
  }

  #take(): Waiting[] {
    const oldest = this.#clock.now() - this.#limits.maxDecisionAgeMs
    return this.#queue.splice(0, this.#limits.maxGroup).filter((waiting) => {
      if (waiting.entry.startedAt >= oldest) return true
      waiting.resolve({ stale: true })
      return false
    })
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    let outcomes: readonly Outcome[]
    try {
      outcomes = await this.#store.commit(group.map(({ entry }) => entry.batch))
      this.#failed = false
    } catch (error) {
      this.#failed = true
      if (error instanceof StoreError && error.code === 'unknown_outcome') {
        await this.#reread(group, error)
      } else {
        const none = new NoDecision('unavailable', 'the store did not commit', {
          cause: error,
          retryAfterMs: 1000,
        })
        for (const waiting of group) waiting.reject(none)
      }
      return
    }
    const committed: [Waiting, bigint][] = []
    for (const [i, waiting] of group.entries()) {
      const outcome = outcomes[i] as Outcome
      if ('conflict' in outcome) waiting.resolve(outcome)
      else if ('error' in outcome) {
        waiting.reject(
          new NoDecision('unavailable', 'the store refused the batch', { cause: outcome.error }),
        )
      } else if (outcome.index === undefined) {
        waiting.reject(new NoDecision('unavailable', 'the store gave the leaf no index'))
      } else committed.push([waiting, outcome.index])
    }
    this.#integrate(committed)
  }

  #integrate(committed: [Waiting, bigint][]): void {
    committed.sort(([, a], [, b]) => (a < b ? -1 : 1))
    for (const [{ entry, resolve }, index] of committed) {
      if (entry.waitForSeal) {
        const onSeal = (proof?: Proof) => resolve(proof ? { index, proof } : { index })
        this.#sealer.append(index, entry.leafHash, onSeal)
      } else {
        this.#sealer.append(index, entry.leafHash)
        resolve({ index })
      }
    }
  }

  /** A commit whose outcome is not known: neither retrying nor failing is right, so look. */
  async #reread(group: readonly Waiting[], cause: StoreError): Promise<void> {
    const committed: [Waiting, bigint][] = []
    for (const waiting of group) {
      const { id, leafHash } = waiting.entry
      try {
        const index = await this.#log.indexOf(leafHash)
        if (index !== undefined) committed.push([waiting, index])
        else waiting.reject(new NoDecision('unavailable', 'the store did not commit', { cause }))
      } catch {
        waiting.reject(
          new NoDecision('unknown_outcome', `fetch decision ${id} later`, {
            cause,
            decisionId: id,
          }),
        )
      }
    }
    this.#integrate(committed)
  }
}

const nextTurn: () => Promise<void> = () =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
