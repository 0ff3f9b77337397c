/** Performs what decisions put into the outbox: at least once, in the background, each outcome a decision of its own. */
import { PARTITION } from './decision.ts'
import type { Json } from './json.ts'
import type { Clock } from './ports/clock.ts'
import type { Outbound } from './ports/outbound.ts'
import type { Store, Stored } from './ports/store.ts'

/** Logs the outcome and removes the entry in one commit. */
export type Settle = (entry: Stored, outcome: Json) => Promise<void>

const RETRY_MS: readonly number[] = [100, 1000, 5000, 30_000]
const PERFORM_TIMEOUT_MS = 30_000

export class Outbox {
  readonly #store: Store
  readonly #clock: Clock
  readonly #byKind = new Map<string, Outbound>()
  readonly #settle: Settle
  readonly #attempts = new Map<string, { count: number; notBefore: number }>()
  readonly #stop = new AbortController()
  #woken = false
  #waiting = 0
  #running: Promise<void> | undefined
  #timer: ReturnType<typeof setTimeout> | undefined

  constructor(store: Store, clock: Clock, outbound: readonly Outbound[], settle: Settle) {
    this.#store = store
    this.#clock = clock
    this.#settle = settle
    for (const adapter of outbound)
      for (const kind of adapter.kinds) this.#byKind.set(kind, adapter)
  }

  get kinds(): ReadonlySet<string> {
    return new Set(this.#byKind.keys())
  }

  /** Entries that could not be performed yet. */
  get waiting(): number {
    return this.#waiting
  }
  /** One of them failed so often that somebody should look. */
  get failing(): boolean {
    return [...this.#attempts.values()].some(({ count }) => count >= RETRY_MS.length)
  }

  /** Something may be in the outbox. */
  wake(): void {
    if (this.#byKind.size === 0 || this.#stop.signal.aborted) return
    this.#woken = true
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  async close(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    await this.#running
  }

  async #run(): Promise<void> {
    let waiting = 0
    while (this.#woken) {
      this.#woken = false
      waiting = 0
      for await (const entry of this.#store.list(PARTITION.outbox, '')) {
        if (this.#stop.signal.aborted) return
        const attempt = this.#attempts.get(entry.key.sort)
        const due = !attempt || attempt.notBefore <= this.#clock.monotonic()
        if (!due || !(await this.#perform(entry))) waiting++
      }
    }
    this.#waiting = waiting
    clearTimeout(this.#timer)
    if (waiting > 0) {
      this.#timer = setTimeout(() => this.wake(), RETRY_MS[0])
      this.#timer.unref?.()
    }
  }

  /** False when it has to be tried again. */
  async #perform(entry: Stored): Promise<boolean> {
    const { sort } = entry.key
    const { kind, body } = JSON.parse(decoder.decode(entry.value)) as { kind: string; body: Json }
    try {
      const outbound = this.#byKind.get(kind)
      if (!outbound) return false
      const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(PERFORM_TIMEOUT_MS)])
      await this.#settle(entry, await outbound.perform({ key: sort, kind, body }, signal))
      this.#attempts.delete(sort)
      return true
    } catch {
      const count = (this.#attempts.get(sort)?.count ?? 0) + 1
      const pause = RETRY_MS[Math.min(count, RETRY_MS.length) - 1] as number
      this.#attempts.set(sort, { count, notBefore: this.#clock.monotonic() + pause })
      return false
    }
  }
}
const decoder = new TextDecoder()
