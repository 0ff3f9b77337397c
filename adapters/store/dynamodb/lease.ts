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
  #seen: { readonly version: string; readonly at: number } | undefined
  #renewedAt = 0

  constructor(clock: Clock, leaseMs: number = LEASE_MS) {
    this.#clock = clock
    this.#leaseMs = leaseMs
  }

  holds({ holder }: LogHead): boolean {
    return holder === this.me
  }

  /** Whether this process may take the lease, and whether the holder was seen at work since the last look. */
  look({ holder, version }: LogHead): { readonly free: boolean; readonly alive: boolean } {
    const now = this.#clock.monotonic()
    const before = this.#seen
    if (before?.version !== version) this.#seen = { version, at: now }
    const at = before?.version === version ? before.at : now
    return {
      free: holder === '' || now - at >= this.#leaseMs,
      alive: before !== undefined && before.version !== version,
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
