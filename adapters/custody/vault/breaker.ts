/** Keeps a Vault that is down from being asked by everybody all the time, and callers from waiting for it. */
import type { Clock } from '../../../core/ports/clock.ts'
import { refuse } from './failure.ts'

/** This many failures in a row open the circuit. */
const FAILURES = 8
/** So long nothing is asked; then one request is, and its success closes the circuit. */
const OPEN_MS = 1000

export class Breaker {
  readonly #clock: Clock
  readonly #address: string
  #failures = 0
  #openUntil = 0

  constructor(address: string, clock: Clock) {
    this.#address = address
    this.#clock = clock
  }

  /** Before each request. @throws CustodyError `unavailable` while the circuit is open */
  enter(): void {
    if (this.#failures < FAILURES) return
    const now = this.#clock.monotonic()
    if (now < this.#openUntil)
      throw refuse(
        'unavailable',
        `${this.#address} failed ${this.#failures} times in a row and is asked again within ${OPEN_MS} ms`,
      )
    // The one that tries; whoever comes before its answer is refused.
    this.#openUntil = now + OPEN_MS
  }

  succeeded(): void {
    this.#failures = 0
  }

  failed(): void {
    this.#failures++
    if (this.#failures >= FAILURES) this.#openUntil = this.#clock.monotonic() + OPEN_MS
  }
}
