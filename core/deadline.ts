/**
 * Deadlines for many deliberations at once: they share a timer and a signal by bucket, since a timer and an AbortController for each
 * decision would cost as much as the decision.
 */
import { Denial } from './denial.ts'
import { NoDecision } from './error.ts'

/** No deliberation takes longer. */
export const MAX_TIMEOUT_MS = 60_000
const BUCKET_MS = 50

interface Bucket {
  readonly controller: AbortController
  readonly pending: Set<(reason: unknown) => void>
  readonly timer: ReturnType<typeof setTimeout>
}

export interface Deadline {
  readonly signal: AbortSignal
  /** Settles like `work`, or rejects: `Denial` `deadline` when time is up, NoDecision `aborted` when the caller gave up. */
  race<T>(work: Promise<T>): Promise<T>
  /** @throws NoDecision `aborted` */
  throwIfAborted(): void
}

export class Deadlines {
  readonly #buckets = new Map<number, Bucket>()
  readonly #monotonic: () => number

  constructor(monotonic: () => number) {
    this.#monotonic = monotonic
  }

  /** Up to 50 ms later than `timeoutMs`. `caller`: the caller's own signal. */
  start(timeoutMs: number, caller?: AbortSignal): Deadline {
    const bucket = this.#bucket(timeoutMs)
    const signal = caller
      ? AbortSignal.any([bucket.controller.signal, caller])
      : bucket.controller.signal
    return {
      signal,
      race: (work) => race(work, bucket, caller),
      throwIfAborted() {
        if (caller?.aborted) throw gaveUp()
      },
    }
  }

  close(): void {
    for (const { timer } of this.#buckets.values()) clearTimeout(timer)
    this.#buckets.clear()
  }

  #bucket(timeoutMs: number): Bucket {
    const ends = Math.ceil((this.#monotonic() + timeoutMs) / BUCKET_MS)
    const known = this.#buckets.get(ends)
    if (known) return known
    const controller = new AbortController()
    const pending = new Set<(reason: unknown) => void>()
    const timer = setTimeout(
      () => {
        this.#buckets.delete(ends)
        controller.abort(new Denial('deadline'))
        for (const reject of pending) reject(new Denial('deadline'))
      },
      ends * BUCKET_MS - this.#monotonic(),
    )
    timer.unref?.()
    const bucket = { controller, pending, timer }
    this.#buckets.set(ends, bucket)
    return bucket
  }
}

const gaveUp = (): NoDecision => new NoDecision('aborted', 'the caller gave up before the commit')

function race<T>(work: Promise<T>, bucket: Bucket, caller: AbortSignal | undefined): Promise<T> {
  return new Promise((resolve, reject) => {
    const settle =
      <V>(then: (value: V) => void) =>
      (value: V) => {
        bucket.pending.delete(reject)
        caller?.removeEventListener('abort', onAbort)
        then(value)
      }
    const onAbort = () => reject(gaveUp())
    work.then(settle(resolve), settle(reject))
    if (bucket.controller.signal.aborted) reject(new Denial('deadline'))
    else if (caller?.aborted) onAbort()
    else {
      bucket.pending.add(reject)
      caller?.addEventListener('abort', onAbort, { once: true })
    }
  })
}
