/** How long one call of the port may take, over everything that it asks of Vault. */
import { setTimeout as pause } from 'node:timers/promises'
import { randomBytes } from '../../../core/crypto.ts'
import { refuse } from './failure.ts'

export class Deadline {
  readonly timeoutMs: number
  readonly #closing: AbortSignal
  readonly #late: AbortSignal

  /** @param closing aborted when the custody is closed */
  constructor(timeoutMs: number, closing: AbortSignal) {
    this.timeoutMs = timeoutMs
    this.#closing = closing
    this.#late = AbortSignal.timeout(timeoutMs)
  }

  /** For one request of several: a server that is silent once may answer the next time. */
  attempt(share: number): AbortSignal {
    const part = AbortSignal.timeout(Math.ceil(this.timeoutMs * share))
    return AbortSignal.any([this.#closing, this.#late, part])
  }

  /** @throws CustodyError `closed`, `unavailable`: it is over */
  check(): void {
    if (this.#closing.aborted) throw refuse('closed', 'the custody was closed; open it again')
    if (this.#late.aborted)
      throw refuse('unavailable', `no whole answer within timeoutMs (${this.timeoutMs}); try again`)
  }

  /** Waits before another try: longer each time, and not as long as everybody else. @throws as {@link check} */
  async backOff(tried: number): Promise<void> {
    const signal = AbortSignal.any([this.#closing, this.#late])
    await pause(jittered(FIRST_PAUSE_MS * 2 ** tried, 0.5), undefined, { signal }).catch(() => {})
    this.check()
  }

  /** What somebody else's call gives, but no later than this one's end. @throws as {@link check} */
  async of<T>(shared: Promise<T>): Promise<T> {
    const ended = Promise.withResolvers<never>()
    const signal = AbortSignal.any([this.#closing, this.#late])
    const end = (): void => ended.reject(refuse('unavailable', 'over'))
    signal.addEventListener('abort', end, { once: true })
    try {
      return await Promise.race([shared, ended.promise])
    } catch (error) {
      this.check()
      throw error
    } finally {
      signal.removeEventListener('abort', end)
    }
  }
}

const FIRST_PAUSE_MS = 40

/** `ms`, up to `share` of it more or less. */
export function jittered(ms: number, share: number): number {
  const [byte = 0] = randomBytes(1)
  return Math.max(1, Math.round(ms * (1 + share * (byte / 127.5 - 1))))
}
