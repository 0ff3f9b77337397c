/**
 * Group commit and sealing. Order: (a) effects and leaves commit durably, many decisions in one write; (b) the head is derived from those
 * rows; (c) only such a head is signed, once a group; (d) the answers leave. A root that is not on disk is never signed. Where the store does not
 * order at commit, a decision shares no write with others, and many are written at the same time: none waits for a slower one.
 */
import { toHex } from './crypto.ts'
import { decisionKey, decodeStored, PARTITION } from './decision.ts'
import { NoDecision, StoreError } from './error.ts'
import type { Merger } from './merge.ts'
import type { Watching } from './observe.ts'
import type { Clock, UnixSeconds } from './ports/clock.ts'
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

/**
 * `index` is undefined as long as the leaf waits for its place. `proof` is there when the caller waited for the seal and the head could be
 * signed.
 */
export interface Committed {
  readonly index: bigint | undefined
  readonly proof?: Proof
}
export function sealReached(
  { proof }: Committed,
  waitedForSeal: boolean,
): 'committed_unsealed' | 'durable' | 'sealed' {
  if (!waitedForSeal) return 'durable'
  return proof ? 'sealed' : 'committed_unsealed'
}

/** The decision has to be made again: a guarded read changed, or it waited for too long. */
export type Retry = { readonly conflict: Key } | { readonly stale: true }

export interface CommitLimits {
  /** Decisions in one group, where the store orders at commit. */
  readonly maxGroup: number
  readonly maxDecisionAgeMs: number
  readonly probeMs: number
}

export interface CommitterOptions {
  readonly store: Store
  readonly log: LogStore
  readonly clock: Clock
  readonly sealer: Sealer
  /** Where the store does not order at commit. */
  readonly merger: Merger | undefined
  readonly limits: CommitLimits
  /** Time of the log's newest leaf. */
  readonly newestSeconds: UnixSeconds
  readonly watching: Watching | undefined
}

interface Waiting {
  readonly entry: Entry
  readonly resolve: (committed: Committed | Retry) => void
  readonly reject: (error: unknown) => void
}

export class Committer {
  readonly #options: CommitterOptions
  readonly #queue: Waiting[] = []
  #running: Promise<void> | undefined
  #failed = false
  #newestSeconds: UnixSeconds
  /** Groups of one that are under way, where the store does not order at commit. */
  readonly #apart = new Set<Promise<void>>()
  /** Writes under way, the oldest first; `at` is monotonic. */
  readonly #writes = new Set<{ readonly at: number }>()
  /** Monotonic: when a write began or ended last. */
  #writeAt: number
  /** Bytes of the write that failed, until one succeeds. */
  #owedBytes = 0

  constructor(options: CommitterOptions) {
    this.#options = options
    this.#newestSeconds = options.newestSeconds
    this.#writeAt = options.clock.monotonic()
  }

  /** The last write failed. */
  get failed(): boolean {
    return this.#failed
  }
  /** A write under way has not come back for so long that it may never do. */
  get stalled(): boolean {
    const [oldest] = this.#writes
    return oldest !== undefined && this.#since(oldest.at) > STALLED_MS
  }
  /** Of everything in the log, the kernel's own decisions included. */
  get newestSeconds(): UnixSeconds {
    return this.#newestSeconds
  }

  /** @throws NoDecision `unavailable` (nothing happened), `unknown_outcome` (fetch it by id) */
  submit(entry: Entry): Promise<Committed | Retry> {
    return new Promise((resolve, reject) => {
      this.#queue.push({ entry, resolve, reject })
      this.#running ??= this.#run()
    })
  }

  /** Writes a small record when nothing was written lately: readiness has to know of a broken disk before a request does. */
  probe(): void {
    const busy = this.#running !== undefined || this.#apart.size > 0
    if (busy || this.#since(this.#writeAt) < this.#options.limits.probeMs) return
    this.#running = this.#probe().then(() => this.#run())
  }

  /** Resolves when everything that was submitted is answered. */
  async drained(): Promise<void> {
    await this.#running
    await Promise.all(this.#apart)
    await this.#options.merger?.close()
    await this.#options.sealer.idle()
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) {
      // Let the requests that arrived together reach the queue: they share one fsync and one signature.
      await nextTurn()
      const { limits, store } = this.#options
      if (store.ordersOnCommit) {
        const group = this.#take(limits.maxGroup)
        if (group.length > 0) await this.#commit(group)
      } else {
        if (this.#apart.size >= MAX_APART) await Promise.race(this.#apart)
        for (const waiting of this.#take(MAX_APART - this.#apart.size)) this.#commitApart(waiting)
      }
    }
    this.#running = undefined
  }

  #commitApart(waiting: Waiting): void {
    const done = this.#commit([waiting]).finally(() => this.#apart.delete(done))
    this.#apart.add(done)
  }

  #take(count: number): Waiting[] {
    const { clock, limits } = this.#options
    const oldest = clock.now() - limits.maxDecisionAgeMs
    return this.#queue.splice(0, count).filter((waiting) => {
      if (waiting.entry.startedAt >= oldest) return true
      waiting.resolve({ stale: true })
      return false
    })
  }

  async #commit(group: readonly Waiting[]): Promise<void> {
    let outcomes: readonly Outcome[]
    try {
      const began = this.#options.clock.monotonic()
      outcomes = await this.#write(group.map(({ entry }) => entry.batch))
      this.#options.watching?.group(group.length, this.#since(began))
    } catch (error) {
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
    const committed: Placed[] = []
    const unknown: Waiting[] = []
    for (const [i, waiting] of group.entries()) {
      const outcome = outcomes[i] as Outcome
      if ('conflict' in outcome) waiting.resolve(outcome)
      else if (!('error' in outcome)) this.#place(committed, waiting, outcome.index)
      else if (outcome.error.code === 'unknown_outcome') unknown.push(waiting)
      else {
        waiting.reject(
          new NoDecision('unavailable', 'the store refused the batch', { cause: outcome.error }),
        )
      }
    }
    this.#integrate(committed)
    if (unknown.length > 0) {
      const what = 'of one batch it is not known whether it was committed'
      await this.#reread(unknown, new StoreError(this.#options.store.name, 'unknown_outcome', what))
    }
  }

  #place(committed: Placed[], waiting: Waiting, index: bigint | undefined): void {
    if (index === undefined && this.#options.store.ordersOnCommit)
      waiting.reject(new NoDecision('unavailable', 'the store gave the leaf no index'))
    else committed.push([waiting, index])
  }

  /** The one way to the disk: what comes of it shows in readiness. */
  async #write(batches: readonly Batch[]): Promise<readonly Outcome[]> {
    const { clock, store, watching } = this.#options
    const write = { at: clock.monotonic() }
    this.#writeAt = write.at
    this.#writes.add(write)
    try {
      const outcomes = await store.commit(batches)
      this.#failed = false
      this.#owedBytes = 0
      return outcomes
    } catch (error) {
      this.#failed = true
      this.#owedBytes = Math.max(this.#owedBytes, bytesOf(batches))
      watching?.storeFailed(error instanceof StoreError ? error.code : 'unknown')
      throw error
    } finally {
      this.#writes.delete(write)
      this.#writeAt = clock.monotonic()
    }
  }

  async #probe(): Promise<void> {
    const { store } = this.#options
    try {
      const before = await store.get(PROBE)
      // As much as failed: on a full disk there is room for a little for a long time.
      const value = new Uint8Array(Math.min(store.maxValueBytes, PROBE_BYTES + this.#owedBytes))
      await this.#write([{ writes: [{ put: PROBE, value, if: before?.version ?? 'absent' }] }])
    } catch {
      this.#failed = true
    }
  }

  #since(at: number): number {
    return this.#options.clock.monotonic() - at
  }

  #integrate(committed: Placed[]): void {
    committed.sort(([, a = 0n], [, b = 0n]) => (a < b ? -1 : 1))
    const { merger, sealer } = this.#options
    for (const [{ entry, resolve }, index] of committed) {
      this.#newestSeconds = Math.max(this.#newestSeconds, Math.floor(entry.startedAt / 1000))
      const { leafHash, waitForSeal } = entry
      const onPlaced = waitForSeal
        ? (at: bigint | undefined, proof: Proof | undefined) =>
            resolve({ index: at, ...(proof && { proof }) })
        : undefined
      if (index === undefined) merger?.append(leafHash, onPlaced)
      else sealer.append(index, leafHash, onPlaced && ((proof) => onPlaced(index, proof)))
      if (!waitForSeal) resolve({ index })
    }
  }

  /** A commit whose outcome is not known: neither retrying nor failing is right, so look. */
  async #reread(group: readonly Waiting[], cause: StoreError): Promise<void> {
    const committed: Placed[] = []
    for (const waiting of group) {
      const { id } = waiting.entry
      try {
        const found = await this.#look(waiting.entry)
        if (found) committed.push([waiting, found.index])
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

  /** @throws as long as it cannot be known */
  async #look({ id, leafHash }: Entry): Promise<{ readonly index?: bigint } | undefined> {
    const { log, store } = this.#options
    if (store.ordersOnCommit) {
      const index = await log.indexOf(leafHash)
      return index === undefined ? undefined : { index }
    }
    // A batch that is not there may still arrive: that nothing is found says nothing.
    const row = await store.get(decisionKey(id))
    if (row && decodeStored(row.value).hash === toHex(leafHash)) return {}
    throw new StoreError(store.name, 'unknown_outcome', 'the batch is not there, or not yet')
  }
}

type Placed = [waiting: Waiting, index: bigint | undefined]

const PROBE: Key = { partition: PARTITION.probe, sort: 'store' }
const PROBE_BYTES = 16
const STALLED_MS = 5000
/** As many as the store has connections for. */
const MAX_APART = 64

function bytesOf(batches: readonly Batch[]): number {
  const sizes = batches.flatMap(({ leaf, writes }) => [
    leaf?.length ?? 0,
    ...writes.map((write) => ('put' in write ? write.value.length : 0)),
  ])
  return sizes.reduce((sum, size) => sum + size, 0)
}

/** Lets everything else that waits have its turn. */
export const nextTurn: () => Promise<void> = () =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
