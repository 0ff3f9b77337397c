/** Performs what decisions put into the outbox: at least once, in the background, each outcome a decision of its own. */
import { nextTurn } from './commit.ts'
import { PARTITION } from './decision.ts'
import type { Json } from './json.ts'
import type { Clock } from './ports/clock.ts'
import type { Outbound } from './ports/outbound.ts'
import type { Store, Stored } from './ports/store.ts'

/** Logs the outcome and removes the entry in one commit. */
export type Settle = (entry: Stored, outcome: Json) => Promise<void>

const RETRY_MS: readonly number[] = [100, 1000, 5000, 30_000]
const PERFORM_TIMEOUT_MS = 30_000
/** Of one kind at the same time: a receiver that does not answer holds up neither the others nor other kinds. */
const MAX_OF_KIND = 32
/** Entries that are listed before others have their turn. */
const TURN_ENTRIES = 128
/** A listing that takes no longer is not worth a rest. */
const RESTED_MS = 5
const MAX_REST_MS = 200

export class Outbox {
  readonly #store: Store
  readonly #clock: Clock
  readonly #byKind = new Map<string, Outbound>()
  readonly #settle: Settle
  readonly #attempts = new Map<string, { count: number; notBefore: number }>()
  /** By entry, and how many of each kind. */
  readonly #performing = new Map<string, Promise<void>>()
  readonly #ofKind = new Map<string, number>()
  readonly #stop = new AbortController()
  #woken = false
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

  /** Entries that failed and wait for their next attempt. */
  get waiting(): number {
    return this.#attempts.size
  }
  /** One of them failed so often that somebody should look. */
  get failing(): boolean {
    return [...this.#attempts.values()].some(({ count }) => count >= RETRY_MS.length)
  }

  /** Something may be in the outbox. */
  wake(): void {
    if (this.#byKind.size === 0 || this.#stop.signal.aborted) return
    this.#woken = true
    this.#running ??= this.#run()
      // A store that cannot be listed now can be later.
      .catch(() => this.#again())
      .then(() => {
        this.#running = undefined
        if (this.#woken) this.wake()
      })
  }

  async close(): Promise<void> {
    this.#stop.abort()
    clearTimeout(this.#timer)
    await this.#running
    await Promise.all(this.#performing.values())
  }

  async #run(): Promise<void> {
    while (this.#woken) {
      this.#woken = false
      const began = this.#clock.monotonic()
      let seen = 0
      for await (const entry of this.#store.list(PARTITION.outbox, '')) {
        if (this.#stop.signal.aborted) return
        this.#begin(entry)
        if (++seen % TURN_ENTRIES === 0) await nextTurn()
      }
      // A long outbox is not read all the time: each attempt that ends wakes it.
      const tookMs = this.#clock.monotonic() - began
      if (tookMs >= RESTED_MS) await rest(Math.min(4 * tookMs, MAX_REST_MS))
    }
    if (this.#attempts.size > 0) this.#again()
  }

  #again(): void {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => this.wake(), RETRY_MS[0])
    this.#timer.unref?.()
  }

  #begin(entry: Stored): void {
    const { sort } = entry.key
    const attempt = this.#attempts.get(sort)
    const due = !attempt || attempt.notBefore <= this.#clock.monotonic()
    if (!due || this.#performing.has(sort)) return
    const { kind } = read(entry)
    const others = this.#ofKind.get(kind) ?? 0
    if (others >= MAX_OF_KIND) return
    this.#ofKind.set(kind, others + 1)
    const done = this.#perform(entry).then(() => {
      this.#performing.delete(sort)
      this.#ofKind.set(kind, (this.#ofKind.get(kind) ?? 1) - 1)
      this.wake()
    })
    this.#performing.set(sort, done)
  }

  async #perform({ key }: Stored): Promise<void> {
    const { sort } = key
    try {
      // Listed before another attempt was through, it may be gone.
      const entry = await this.#store.get(key)
      if (entry) {
        const { body, kind } = read(entry)
        const outbound = this.#byKind.get(kind)
        if (!outbound) throw new Error(`nothing performs ${kind}`)
        const signal = AbortSignal.any([this.#stop.signal, AbortSignal.timeout(PERFORM_TIMEOUT_MS)])
        await this.#settle(entry, await outbound.perform({ key: sort, kind, body }, signal))
      }
      this.#attempts.delete(sort)
    } catch {
      const count = (this.#attempts.get(sort)?.count ?? 0) + 1
      const pause = RETRY_MS[Math.min(count, RETRY_MS.length) - 1] as number
      this.#attempts.set(sort, { count, notBefore: this.#clock.monotonic() + pause })
    }
  }
}

function read({ value }: Stored): { readonly kind: string; readonly body: Json } {
  return JSON.parse(decoder.decode(value)) as { kind: string; body: Json }
}
const decoder = new TextDecoder()

const rest = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
