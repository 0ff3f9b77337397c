/** Who gets in: a bounded number of dispatches at a time, none while the kernel closes or the clock is behind the log. */
import type { Core } from './core.ts'
import { MAX_TIMEOUT_MS } from './deadline.ts'
import { NoDecision } from './error.ts'
import { checkSubmission } from './frame.ts'
import type { DecideOptions, Submission } from './kernel.ts'
import { clockBehind } from './readiness.ts'
import type { TrialOptions } from './trial.ts'

export class Admission {
  readonly #core: Core
  #inFlight = 0
  #closing = false
  #onIdle: (() => void) | undefined

  constructor(core: Core) {
    this.#core = core
  }

  get inFlight(): number {
    return this.#inFlight
  }
  get closing(): boolean {
    return this.#closing
  }

  /** Whoever is in must {@link leave}. @throws NoDecision `malformed`, `closed`, `overloaded`, `unavailable` */
  enter(submission: Submission, options: DecideOptions): TrialOptions {
    const request = checkSubmission(submission)
    if (this.#closing) throw new NoDecision('closed', 'the kernel is shutting down')
    const { clock, deadlines, limits, store, watching } = this.#core
    if (this.#inFlight >= limits.maxInFlight) {
      throw new NoDecision('overloaded', `${limits.maxInFlight} decisions are under way`, {
        retryAfterMs: 1000,
      })
    }
    if (clockBehind(this.#core)) {
      throw new NoDecision('unavailable', 'the clock is behind the newest decision; set it', {
        retryAfterMs: 5000,
      })
    }
    const timeoutMs = Math.min(Math.max(options.timeoutMs ?? limits.timeoutMs, 1), MAX_TIMEOUT_MS)
    const deadline = deadlines.start(timeoutMs, options.signal)
    this.#inFlight++
    return {
      request,
      deadline,
      waitForSeal: (options.seal ?? (store.ordersOnCommit ? 'sealed' : 'durable')) === 'sealed',
      ...(submission.idempotencyKey === undefined
        ? {}
        : { idempotencyKey: submission.idempotencyKey }),
      ...(watching === undefined ? {} : { admittedAt: clock.monotonic() }),
    }
  }

  leave(): void {
    this.#inFlight--
    if (this.#inFlight === 0) this.#onIdle?.()
  }

  /** Lets nobody in any more; resolves when the last one has left. */
  close(): Promise<void> {
    this.#closing = true
    return new Promise((resolve) => {
      this.#onIdle = resolve
      if (this.#inFlight === 0) resolve()
    })
  }
}
