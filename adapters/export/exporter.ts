/**
 * Sends the decision log to a receiver, in its order, every decision at least once. The log is the source and nothing is buffered: what
 * the receiver did not take waits there, however long. Duplicates, after a crash or a lost answer, have the same `decision_id`.
 */
import { appendFile, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { randomBytes } from '../../core/crypto.ts'
import { ConfigError } from '../../core/error.ts'
import { decodeLeaf } from '../../core/log/leaf.ts'
import type { Leaf } from '../../core/log/leaves.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import { type EventOptions, eventOf, type LogEvent } from './event.ts'
import type { Mask } from './mask.ts'
import { readPlace, writePlace } from './place.ts'
import { type Format, type SendOptions, type Sent, send } from './send.ts'

/** What an exporter tells of itself. */
export interface Watch {
  done(outcome: 'dropped' | 'quarantined' | 'sent', count: number): void
  failed(code: string): void
  /** After {@link failed}. */
  resumed(): void
  /** The receiver will never take `count` events from `index` on. */
  quarantined(index: bigint, count: number, status: number): void
}

export interface ExporterOptions extends EventOptions, SendOptions {
  readonly name: string
  readonly format: Format
  /** Where its place and its quarantine are kept. */
  readonly folder: string
  readonly origin: string
  readonly store: Store
  readonly log: LogStore
  readonly mask?: Mask
  /** At most 256. */
  readonly maxEvents: number
  /** Between looks at a log that has nothing new. */
  readonly delayMs: number
  /** The pause before the second attempt; it doubles up to a minute. */
  readonly retryMs?: number
}

const NOBODY: Watch = {
  done: () => {},
  failed: () => {},
  resumed: () => {},
  quarantined: () => {},
}

interface Pending {
  readonly index: bigint
  readonly event: LogEvent
}

const MAX_RETRY_MS = 60_000
/** Receivers that refuse one event after the other refuse everything: then waiting loses nothing, and going on would. */
const MAX_QUARANTINED_IN_A_ROW = 16
/** Attempts in a row after which an operator should look. */
const FAILING_AFTER = 3
const GRACE_MS = 2000

export class Exporter {
  readonly #options: ExporterOptions
  readonly #file: string
  #watch: Watch = NOBODY
  readonly #stop = new AbortController()
  readonly #abort = new AbortController()
  #position: bigint
  #failures = 0
  #quarantinedInARow = 0
  #running: Promise<void> | undefined

  private constructor(options: ExporterOptions, file: string, position: bigint) {
    this.#options = options
    this.#file = file
    this.#position = position
  }

  /** @throws ConfigError `invalid_config`: a place that is damaged, of another log or past its end; a token that would travel in clear text */
  static async open(options: ExporterOptions): Promise<Exporter> {
    const { bearerTokenFile, folder, format, log, name, origin } = options
    const { hostname, protocol } = new URL(format.url)
    const isLocal = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])$/.test(hostname)
    if (bearerTokenFile !== undefined && protocol === 'http:' && !isLocal)
      throw new ConfigError('invalid_config', `export: ${name}: a token needs https`)
    await mkdir(folder, { recursive: true, mode: 0o700 })
    const file = join(folder, `${name}.json`)
    const { position } = await readPlace(file, origin)
    if (position > (await log.size()))
      throw new ConfigError(
        'invalid_config',
        `export: ${file}: the log is shorter than what was sent of it; remove the file to send everything again`,
      )
    return new Exporter(options, file, position)
  }

  /** The next leaf to send. */
  get position(): bigint {
    return this.#position
  }
  get failing(): boolean {
    return this.#failures >= FAILING_AFTER
  }

  start(watch: Watch): void {
    this.#watch = watch
    this.#running ??= this.#run()
  }

  /** Lets the batch under way finish; what comes after it waits for the next start. */
  async close(): Promise<void> {
    this.#stop.abort()
    const timer = setTimeout(() => this.#abort.abort(), GRACE_MS)
    await this.#running
    clearTimeout(timer)
  }

  async #run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        if (!(await this.#round())) await this.#pause(this.#options.delayMs)
      } catch {
        await this.#failed({ code: 'log_unreadable' })
      }
    }
  }

  /** False when there was nothing to send, or it has to stop. */
  async #round(): Promise<boolean> {
    const { log, maxEvents, origin } = this.#options
    if (this.#position >= (await log.size())) return false
    const leaves = await log.leaves(this.#position, maxEvents)
    const { dropped, pending } = await this.#prepare(leaves)
    if (!(await this.#deliver(pending))) return false
    if (dropped > 0) this.#watch.done('dropped', dropped)
    const position = this.#position + BigInt(leaves.length)
    await writePlace(this.#file, { origin, position })
    this.#position = position
    return leaves.length > 0
  }

  /** The events of decisions; other leaves are none. */
  async #prepare(leaves: readonly Uint8Array[]): Promise<{ dropped: number; pending: Pending[] }> {
    const { mask, store } = this.#options
    const pending: Pending[] = []
    let dropped = 0
    for (const [i, bytes] of leaves.entries()) {
      const index = this.#position + BigInt(i)
      const leaf = decoded(bytes)
      if (leaf === undefined) await this.#quarantine(index, 'none', 0)
      if (leaf?.type !== 'assay.decision/v1') continue
      const event = await eventOf(leaf, index, store, this.#options)
      const masked = mask === undefined ? { event } : await mask(event)
      if ('failed' in masked) this.#watch.failed('mask_failed')
      if (masked.event === undefined) dropped++
      else pending.push({ index, event: masked.event })
    }
    return { dropped, pending }
  }

  /** True when each event was taken or is in quarantine; false when it has to stop before. */
  async #deliver(pending: readonly Pending[]): Promise<boolean> {
    if (pending.length === 0) return true
    const { format } = this.#options
    while (!this.#stop.signal.aborted) {
      const events = pending.map(({ event }) => event)
      const sent = await send(events, format, this.#options, this.#abort.signal)
      if (sent.outcome === 'taken') return this.#taken(pending, sent.rejected)
      if (sent.outcome === 'refused' && pending.length > 1) return await this.#halves(pending)
      if (sent.outcome === 'refused' && this.#quarantinedInARow < MAX_QUARANTINED_IN_A_ROW) {
        const [{ event, index }] = pending as [Pending]
        await this.#quarantine(index, event.decision_id, sent.status)
        return true
      }
      await this.#failed(failureOf(sent))
    }
    return false
  }

  async #halves(pending: readonly Pending[]): Promise<boolean> {
    const middle = Math.ceil(pending.length / 2)
    return (
      (await this.#deliver(pending.slice(0, middle))) &&
      (await this.#deliver(pending.slice(middle)))
    )
  }

  #taken(pending: readonly Pending[], rejected: number): true {
    const refused = Math.min(rejected, pending.length)
    if (this.#failures > 0) this.#watch.resumed()
    this.#failures = 0
    this.#quarantinedInARow = 0
    this.#watch.done('sent', pending.length - refused)
    if (refused > 0) {
      this.#watch.done('quarantined', refused)
      this.#watch.quarantined((pending[0] as Pending).index, refused, 200)
    }
    return true
  }

  /** The event itself stays in the log; its place there is written down. */
  async #quarantine(index: bigint, decisionId: string, status: number): Promise<void> {
    const { folder, name } = this.#options
    const line = { index: index.toString(), decision_id: decisionId, status }
    await appendFile(join(folder, `${name}.quarantine.jsonl`), `${JSON.stringify(line)}\n`)
    this.#quarantinedInARow++
    this.#watch.done('quarantined', 1)
    this.#watch.quarantined(index, 1, status)
  }

  async #failed({ code, retryAfterMs = 0 }: Failure): Promise<void> {
    this.#failures++
    this.#watch.failed(code)
    const doubled = (this.#options.retryMs ?? 500) * 2 ** Math.min(this.#failures - 1, 20)
    await this.#pause(Math.max(retryAfterMs, jittered(Math.min(doubled, MAX_RETRY_MS))))
  }

  async #pause(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#stop.signal, ref: false }).catch(() => undefined)
  }
}

interface Failure {
  readonly code: string
  readonly retryAfterMs?: number
}

function failureOf(sent: Exclude<Sent, { outcome: 'taken' }>): Failure {
  return sent.outcome === 'failed' ? sent : { code: 'refuses_everything' }
}

/** Half of it and a random part of the other half: receivers that come back are not met by everybody at once. */
function jittered(ms: number): number {
  const [random = 0] = randomBytes(1)
  return ms / 2 + (ms / 2) * (random / 255)
}

function decoded(bytes: Uint8Array): Leaf | undefined {
  try {
    return decodeLeaf(bytes)
  } catch {
    return undefined
  }
}
