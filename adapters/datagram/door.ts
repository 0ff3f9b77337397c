/**
 * The door for signed messages that come without a connection. It answers nobody. What it does for a message of somebody unknown is bounded:
 * in time by the allowances of {@link SourceTable}, in memory by its queue. Messages are decided on one after the other, since those of one
 * sender have to be in order.
 */
import { randomBytes, toBase64url } from '../../core/crypto.ts'
import { NoDecision } from '../../core/error.ts'
import type { Kernel } from '../../core/kernel.ts'
import type { Clock } from '../../core/ports/clock.ts'
import { Payload, type Peer } from '../../core/request.ts'
import { readFrame } from '../../formats/wire/index.ts'
import { Copies } from './copies.ts'
import { type SourceLimits, SourceTable } from './sources.ts'

const RECEIVE = 'announce.receive'
/** Who a datagram is from is anybody's guess: its address can be forged. */
const PEER: Peer = { kind: 'anonymous', id: 'datagram' }

export const DEFAULT_LIMITS: SourceLimits = {
  known: { perSecond: 500, burst: 1000 },
  unknown: { perSecond: 5, burst: 20 },
  together: { perSecond: 500, burst: 500 },
  penalty: 10,
}
/** Why a message is denied now and from now on. */
const FOR_EVER: ReadonlySet<string> = new Set(['replayed', 'too_old'])
/** Messages that wait for their decision. */
const MAX_WAITING = 256

interface Waiting {
  readonly signature: string
  readonly source: string
  readonly message: Uint8Array
}

export class AnnounceDoor {
  readonly #kernel: Kernel
  readonly #clock: Clock
  readonly #sources: SourceTable
  readonly #copies = new Copies()
  readonly #queue: Waiting[] = []
  #running: Promise<void> | undefined
  #closed = false

  constructor(kernel: Kernel, clock: Clock, limits: SourceLimits = DEFAULT_LIMITS) {
    this.#kernel = kernel
    this.#clock = clock
    const [seed = 0] = new Uint32Array(randomBytes(4).buffer)
    this.#sources = new SourceTable(limits, seed)
  }

  /** Takes a message, or drops it and counts why. `message` must not change afterwards. */
  take(source: string, message: Uint8Array): void {
    if (this.#closed) return
    const heard = this.#hear(source, message)
    if ('why' in heard) {
      this.#kernel.refused(RECEIVE, heard.why)
      return
    }
    this.#queue.push({ source, message, ...heard })
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
  }

  /** Takes nothing more, and resolves when everything that was taken is decided on. */
  async close(): Promise<void> {
    this.#closed = true
    await this.#running
  }

  #hear(
    source: string,
    message: Uint8Array,
  ): { readonly why: string } | Pick<Waiting, 'signature'> {
    const now = this.#clock.monotonic()
    if (!this.#sources.hear(source, now)) return { why: 'rate_limited' }
    const frame = readFrame(message)
    if ('problem' in frame) {
      this.#sources.bad(source, now)
      return { why: frame.problem }
    }
    const signature = toBase64url(frame.signature)
    if (this.#copies.has(signature)) return { why: 'replayed' }
    return this.#queue.length < MAX_WAITING ? { signature } : { why: 'overloaded' }
  }

  async #run(): Promise<void> {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift())
      await this.#decide(next)
  }

  async #decide({ message, signature, source }: Waiting): Promise<void> {
    const payload = Payload.fromParsed({ message: toBase64url(message) })
    const good = await this.#kernel
      .decide({ action: RECEIVE, payload, peer: PEER }, { seal: 'durable' })
      .then(
        ({ allow, reasons }) => {
          if (allow || reasons.some(({ code }) => FOR_EVER.has(code))) this.#copies.add(signature)
          return allow
        },
        // What could not be decided is nobody's fault: whoever sent it has to send it again, or is asked for it.
        (error: unknown) =>
          error instanceof NoDecision && error.code === 'refused' ? false : undefined,
      )
    const now = this.#clock.monotonic()
    if (good === true) this.#sources.good(source, now)
    else if (good === false) this.#sources.bad(source, now)
  }
}
