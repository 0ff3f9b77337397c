/**
 * How often one caller may ask: the generic cell rate algorithm (ITU-T I.371, annex A), which is a token bucket with one number a caller,
 * the time at which its bucket is full again.
 *
 * Memory is bounded: a caller whose bucket is full needs no number. When there is no place for a new one, all callers without a number
 * share one bucket, so a flood of new names takes nothing from those who are known, and nobody gets a fresh bucket by pushing out an old one.
 */
export interface Rate {
  /** Requests a second, in the long run. May be a fraction. */
  readonly perSecond: number
  /** Requests at once. Default: those of one second, at least 1. */
  readonly burst?: number
}

/** What sums of steps may be off by; nobody is refused for it. */
const ROUNDING_MS = 1e-6
/** Numbers that are looked at to find a place for a new caller; the oldest first. */
const LOOKS = 8

export class RateLimiter {
  readonly #stepMs: number
  readonly #depthMs: number
  readonly #places: number
  readonly #now: () => number
  /** When each bucket is full again, least recently used first. */
  readonly #fullAt = new Map<string, number>()
  #sharedFullAt = Number.NEGATIVE_INFINITY

  /** @param now milliseconds that never go back @param places callers that are told apart */
  constructor({ perSecond, burst }: Rate, now: () => number, places: number) {
    this.#stepMs = 1000 / perSecond
    this.#depthMs = this.#stepMs * (burst ?? Math.max(1, perSecond))
    this.#now = now
    this.#places = places
  }

  get size(): number {
    return this.#fullAt.size
  }

  /** Milliseconds after which it would be let in; 0: it is. */
  take(caller: string): number {
    const now = this.#now()
    const known = this.#fullAt.get(caller)
    if (known === undefined && !this.#hasPlace(now)) {
      const shared = this.#next(this.#sharedFullAt, now)
      if (shared.waitMs === 0) this.#sharedFullAt = shared.fullAt
      return shared.waitMs
    }
    const { fullAt, waitMs } = this.#next(known ?? Number.NEGATIVE_INFINITY, now)
    if (waitMs === 0) {
      this.#fullAt.delete(caller)
      this.#fullAt.set(caller, fullAt)
    }
    return waitMs
  }

  /** What {@link take} would give, without taking. */
  wait(caller: string): number {
    const now = this.#now()
    const known = this.#fullAt.get(caller)
    if (known !== undefined) return this.#next(known, now).waitMs
    return this.#hasPlace(now) ? 0 : this.#next(this.#sharedFullAt, now).waitMs
  }

  #next(before: number, now: number): { fullAt: number; waitMs: number } {
    const missingMs = Math.max(before - now, 0) + this.#stepMs
    const waitMs = missingMs - this.#depthMs
    return { fullAt: now + missingMs, waitMs: waitMs > ROUNDING_MS ? waitMs : 0 }
  }

  /** What was used least recently is full first, or nearly so. */
  #hasPlace(now: number): boolean {
    let looks = 0
    for (const [caller, fullAt] of this.#fullAt) {
      if (looks++ === LOOKS) break
      if (fullAt <= now) this.#fullAt.delete(caller)
    }
    return this.#fullAt.size < this.#places
  }
}
