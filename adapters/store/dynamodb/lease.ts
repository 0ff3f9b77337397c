/**
 * Who gives leaves their places. The lease only saves work: a process that lost it without knowing changes nothing, since its next change of the
 * head fails. So no two clocks are compared: whoever sees the same version of the head for {@link LEASE_MS} of its own monotonic clock takes over.
 */
import { randomBytes, toHex } from '../../../core/crypto.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { LogHead } from './head.ts'

export const LEASE_MS = 3000

export class Lease {
  /** This process, among all that use the table. */
  readonly me: string = toHex(randomBytes(8))
  readonly #clock: Clock
  readonly #leaseMs: number
  /** `changed`: it was seen at work, and not only found. */
  #seen: { readonly version: string; readonly at: number; readonly changed: boolean } | undefined
  #renewedAt = 0

  constructor(clock: Clock, leaseMs: number = LEASE_MS) {
    this.#clock = clock
    this.#leaseMs = leaseMs
  }

  holds({ holder }: LogHead): boolean {
    return holder === this.me
  }

  /** Whether this process may take the lease, and whether the holder was seen at work lately. */
  look({ holder, version }: LogHead): { readonly free: boolean; readonly alive: boolean } {
    const now = this.#clock.monotonic()
    if (this.#seen?.version !== version)
      this.#seen = { version, at: now, changed: this.#seen !== undefined }
    const { at, changed } = this.#seen
    const silent = now - at
    return {
      free: holder === '' || silent >= this.#leaseMs,
      alive: changed && silent < this.#leaseMs / 3,
    }
  }

  /** A change of the head is a sign of life. */
  renewed(): void {
    this.#renewedAt = this.#clock.monotonic()
  }
  get due(): boolean {
    return this.#clock.monotonic() - this.#renewedAt > this.#leaseMs / 3
  }
}
