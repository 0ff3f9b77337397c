/**
 * Learns what peers have revoked: fetches each foreign cell's signed set, page after page, and brings it before this kernel as
 * `announce.learn`. A page without entries is news too: until then nothing was revoked. Whoever fails to learn for too long is not asked here:
 * policies/capability refuses that cell's tokens by itself.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { randomBytes, toBase64url } from '../../../core/crypto.ts'
import { KernelError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Kernel } from '../../../core/kernel.ts'
import { type Peer as Asker, Payload } from '../../../core/request.ts'
import { PeerError } from './error.ts'
import { Peer, type PeerOptions } from './http.ts'
import { joinSigned } from './message.ts'
import { ask } from './report.ts'

export interface PullOptions {
  /** By the name of the cell whose revocations it knows. */
  readonly peers: Readonly<Record<string, PeerOptions>>
  readonly kernel: Pick<Kernel, 'decide'>
  /** Between two sets of one cell, in milliseconds, a tenth more or less. Default 2,000. */
  readonly everyMs?: number
  /** A cell that could not be asked, or was not believed: called when that begins or has another reason, with undefined once it goes well again. */
  readonly onState?: (cell: string, code: string | undefined) => void
}
export interface Pulling {
  /** Something of this cell is missing: ask at once. Nothing for a cell that no peer keeps. */
  soon(cell: string): void
  close(): Promise<void>
}

const EVERY_MS = 2000
const TIMEOUT_MS = 1000
/** What could not be fetched is tried again sooner. */
const AGAIN = 4
const PULLER: Asker = { kind: 'embedded', id: 'outbox' }

export function keepPulling({
  everyMs = EVERY_MS,
  kernel,
  onState = () => undefined,
  peers,
}: PullOptions): Pulling {
  const stop = new AbortController()
  const cells = Object.entries(peers).map(
    ([cell, options]) => [cell, new Puller(cell, new Peer(options), kernel, stop.signal)] as const,
  )
  const running = cells.map(([cell, puller]) => puller.run(everyMs, (code) => onState(cell, code)))
  const byCell = new Map(cells)
  return {
    soon: (cell) => byCell.get(cell)?.soon(),
    async close() {
      stop.abort(new PeerError('peers', 'closed', 'it is closed'))
      await Promise.all(running)
    },
  }
}

/** One cell's: never two fetches at a time. */
class Puller {
  readonly #cell: string
  readonly #peer: Peer
  readonly #kernel: Pick<Kernel, 'decide'>
  readonly #stop: AbortSignal
  /** Everything up to this number is known. */
  #known = 0
  #asked = false
  #wake = new AbortController()

  constructor(cell: string, peer: Peer, kernel: Pick<Kernel, 'decide'>, stop: AbortSignal) {
    this.#cell = cell
    this.#peer = peer
    this.#kernel = kernel
    this.#stop = stop
  }

  soon(): void {
    this.#asked = true
    this.#wake.abort()
  }

  async run(everyMs: number, onState: (code: string | undefined) => void): Promise<void> {
    let failing: string | undefined
    while (!this.#stop.aborted) {
      this.#asked = false
      const code = await this.#pull().then(() => undefined, codeOf)
      if (this.#stop.aborted) break
      if (code !== failing) onState(code)
      failing = code
      if (!this.#asked) await this.#rest(jittered(code === undefined ? everyMs : everyMs / AGAIN))
    }
    await this.#peer.close()
  }

  async #rest(ms: number): Promise<void> {
    this.#wake = new AbortController()
    const signal = AbortSignal.any([this.#stop, this.#wake.signal])
    await pause(ms, undefined, { signal }).catch(() => undefined)
  }

  /** All pages of one set. @throws KernelError */
  async #pull(): Promise<void> {
    let from = this.#known
    for (;;) {
      const learned = await this.#learn(await this.#fetch(from))
      // Something before this page is missing: everything once more.
      const next = learned.gap ? 0 : learned.through
      const done = !learned.more && !learned.gap
      if (!done && next === from)
        throw new PeerError(
          'peers',
          'malformed_answer',
          `${this.#peer.url} sends one page for ever`,
        )
      from = next
      this.#known = from
      if (done) return
      this.#stop.throwIfAborted()
    }
  }

  async #fetch(after: number): Promise<string> {
    const payload = { after, cell: this.#cell }
    const asked = { action: 'announce.revocations', payload }
    const { allow, output, reasons } = await ask(this.#peer, asked, TIMEOUT_MS, this.#stop)
    if (!allow) throw denied('it does not tell its revocations', reasons)
    const { signature, unsigned } = (output ?? {}) as { readonly [name: string]: Json }
    const message = joinSigned(String(unsigned), String(signature))
    if (message !== undefined) return toBase64url(message)
    throw new PeerError('peers', 'malformed_answer', `${this.#peer.url} sends no message`)
  }

  async #learn(message: string): Promise<Learned> {
    const payload = Payload.fromJson({ message })
    const { allow, output, reasons } = await this.#kernel.decide(
      { action: 'announce.learn', payload, peer: PULLER },
      { seal: 'durable', signal: this.#stop },
    )
    if (!allow) throw denied('what it tells is not believed', reasons)
    return output as unknown as Learned
  }
}

interface Learned {
  readonly gap: boolean
  readonly more: boolean
  readonly through: number
}

const denied = (what: string, reasons: readonly { readonly code: string }[]): PeerError =>
  new PeerError('peers', 'not_taken', `${what}: ${reasons.map(({ code }) => code).join(', ')}`)

const codeOf = (error: unknown): string =>
  error instanceof KernelError ? error.code : 'unavailable'

/** So that kernels which started together do not ask together. */
function jittered(ms: number): number {
  const [part = 0] = randomBytes(1)
  return ms * (0.9 + (0.2 * part) / 255)
}
