/**
 * The way to KMS: every call ends at its deadline, and is tried again only where that is safe. The SDK itself never tries again: it would not
 * know what of it is.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { KMSClient } from '@aws-sdk/client-kms'
import { randomBytes } from '../../../core/crypto.ts'
import type { CustodyError } from '../../../core/error.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import { CallFailed, type Failure, failureOf, Incomplete, type Place, refuse } from './failure.ts'

export type Sdk = typeof import('@aws-sdk/client-kms')

/** For all calls of one method of the port. */
export interface Deadline {
  /** Monotonic milliseconds. */
  readonly ends: number
  readonly signal: AbortSignal
}

/** What one call may be, besides tried again where nobody took it. */
export interface Manner {
  /** A second time changes nothing, so that one whose answer was lost is tried again too. Default true. */
  readonly repeatable?: boolean
  /** The key was made a moment ago, and not every part of KMS may know it yet. */
  readonly fresh?: boolean
}

/** Asks KMS once. */
export type Ask<T> = (
  client: KMSClient,
  options: { readonly abortSignal: AbortSignal },
) => Promise<T>

const FIRST_PAUSE_MS = 50
const LONGEST_PAUSE_MS = 1000
/** A signature that got no answer is asked for again before its deadline. */
const ATTEMPTS = 3

export interface CallsOptions {
  readonly sdk: Sdk
  readonly client: KMSClient
  readonly place: Place
  readonly clock: Clock
  readonly timeoutMs: number
}

export class Calls {
  readonly sdk: Sdk
  readonly place: Place
  readonly #options: CallsOptions
  readonly #closing = new AbortController()

  constructor(options: CallsOptions) {
    this.sdk = options.sdk
    this.place = options.place
    this.#options = options
  }

  get closed(): boolean {
    return this.#closing.signal.aborted
  }

  /** What is under way ends with `closed`. */
  close(): void {
    this.#closing.abort()
    this.#options.client.destroy()
  }

  deadline(): Deadline {
    const { clock, timeoutMs } = this.#options
    const signal = AbortSignal.any([AbortSignal.timeout(timeoutMs), this.#closing.signal])
    return { ends: clock.monotonic() + timeoutMs, signal }
  }

  /**
   * @param action KMS's name of it, as in `Sign`
   * @throws CallFailed, `uncertain` where any attempt was; CustodyError `closed`
   */
  async call<T>(action: string, deadline: Deadline, ask: Ask<T>, manner: Manner = {}): Promise<T> {
    let uncertain = false
    for (let made = 1; ; made += 1) {
      try {
        return await this.#once(deadline, ask)
      } catch (error) {
        if (this.closed) throw closed()
        const failure = failureOf(error)
        uncertain ||= failure.uncertain
        const ms = pauseMs(made)
        const { aborted } = deadline.signal
        const late = aborted || this.#options.clock.monotonic() + ms >= deadline.ends
        if (late || !mayRepeat(failure, manner))
          throw new CallFailed({ ...failure, uncertain }, this.place, action)
        await pause(ms, undefined, { signal: this.#closing.signal }).catch(() => undefined)
      }
    }
  }

  async #once<T>({ ends, signal }: Deadline, ask: Ask<T>): Promise<T> {
    const { client, clock, timeoutMs } = this.#options
    const ms = Math.ceil(Math.max(1, Math.min(ends - clock.monotonic(), timeoutMs / ATTEMPTS)))
    const abortSignal = AbortSignal.any([signal, AbortSignal.timeout(ms)])
    // Looking for credentials knows no signal.
    return await Promise.race([ask(client, { abortSignal }), ended(abortSignal)])
  }
}

export function closed(): CustodyError {
  return refuse('closed', 'the custody was closed; open it again')
}

function mayRepeat(
  { again, kind, uncertain }: Failure,
  { fresh = false, repeatable = true }: Manner,
): boolean {
  if (fresh && kind === 'no_key') return true
  return again && (repeatable || !uncertain)
}

function ended(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = (): void => reject(signal.reason)
    if (signal.aborted) end()
    else signal.addEventListener('abort', end, { once: true })
  })
}

/** Half of it is chance, so that those who met once do not meet again. */
function pauseMs(made: number): number {
  const [part = 0] = randomBytes(1)
  const most = Math.min(FIRST_PAUSE_MS * 2 ** (made - 1), LONGEST_PAUSE_MS)
  return most * (0.5 + part / 512)
}

/** What every answer of KMS has. @throws Incomplete */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Incomplete('the answer lacks what every answer has')
  return value
}
