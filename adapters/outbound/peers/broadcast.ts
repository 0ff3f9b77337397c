/**
 * One signed message to every peer. A peer that does not acknowledge is asked again, soon and then less often, until the message is older than
 * the bound after which a pull has covered it. Messages do not wait for each other: a receiver takes rising numbers only, so once a later one
 * is acknowledged, an earlier one is not sent again; what it said comes with the pull that the gap causes.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { PeerError } from './error.ts'
import type { Peer } from './http.ts'

/** Milliseconds after the last attempt, in order; the last one again and again. */
const PAUSES_MS: readonly number[] = [100, 150, 250, 400, 600, 1000, 2000]
const ATTEMPT_MS = 600
/** Attempts at the same time, of one peer. */
const MAX_SENDING = 64
/** The connection ended without an answer: the network, or a peer that does not listen to this key. Insisting looks like a flood to it. */
const MAX_CUT = 6
/** A message that was heard, or a later one of the same key, is denied from then on. */
const HEARD = 'replayed'
const decoder = new TextDecoder()
const PATH = '/assay/v1/announce'

type Sent = 'acknowledged' | 'cut' | 'denied' | 'failed'

export class Link {
  readonly #peer: Peer
  readonly #stop: AbortSignal
  readonly #giveUpMs: number
  /** Of messages, in the order in which they were given. */
  #given = 0
  #acknowledged = 0
  #sending = 0
  #down = false

  constructor(peer: Peer, { giveUpMs, stop }: { readonly giveUpMs: number; stop: AbortSignal }) {
    this.#peer = peer
    this.#giveUpMs = giveUpMs
    this.#stop = stop
  }

  /** Nothing was acknowledged lately: nobody should wait for it. */
  get down(): boolean {
    return this.#down
  }

  /** Whether the message, or a later one, was acknowledged in time. Never rejects. */
  async deliver(message: Uint8Array): Promise<boolean> {
    const number = ++this.#given
    // Whoever has so many messages under way is not reached by one more; the pull covers them.
    if (this.#sending >= MAX_SENDING) return false
    this.#sending++
    try {
      return await this.#insist(number, message)
    } finally {
      this.#sending--
    }
  }

  async #insist(number: number, message: Uint8Array): Promise<boolean> {
    const bound = AbortSignal.any([this.#stop, AbortSignal.timeout(this.#giveUpMs)])
    let cut = 0
    for (let attempt = 0; !bound.aborted && cut < MAX_CUT; attempt++) {
      const sent = await this.#send(message, bound)
      if (sent === 'acknowledged') {
        this.#acknowledged = Math.max(this.#acknowledged, number)
        this.#down = false
        return true
      }
      if (sent === 'denied') return false
      if (sent === 'cut') cut++
      if (this.#acknowledged > number) return true
      const wait = PAUSES_MS[Math.min(attempt, PAUSES_MS.length - 1)]
      await pause(wait, undefined, { signal: bound }).catch(() => undefined)
      if (this.#acknowledged > number) return true
    }
    this.#down = true
    return false
  }

  async #send(body: Uint8Array, signal: AbortSignal): Promise<Sent> {
    const type = 'application/octet-stream'
    try {
      const post = { body, path: PATH, signal, timeoutMs: ATTEMPT_MS, type } as const
      const { body: why, status } = await this.#peer.post(post)
      if (status === 204 || (status === 403 && decoder.decode(why).startsWith(HEARD)))
        return 'acknowledged'
      return status === 403 ? 'denied' : 'failed'
    } catch (error) {
      return error instanceof PeerError && error.code === 'refused' ? 'cut' : 'failed'
    }
  }
}
