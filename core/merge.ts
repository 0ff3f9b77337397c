/**
 * Leaves of a store that does not order at commit, on their way under a signed head. Every process that writes gives waiting leaves their
 * places whenever that is due (`LogStore.integrate`): one of them leads, and signs; the others follow its heads, each over a tree that it
 * builds itself from the same leaves (`docs/decisions/0015-sequencer.md`).
 */
import type { Limits } from './core.ts'
import { fromHex, toHex } from './crypto.ts'
import { StoreError } from './error.ts'
import { leafHash } from './log/leaf.ts'
import { publishedHead } from './log/reader.ts'
import type { Clock, UnixMillis } from './ports/clock.ts'
import type { Integration, LogStore } from './ports/logstore.ts'
import type { Head, Proof, Sealer } from './seal.ts'

export interface MergerOptions {
  readonly log: LogStore
  readonly sealer: Sealer
  readonly clock: Clock
  readonly limits: Pick<Limits, 'maxMergeDelayMs' | 'mergeMs' | 'sealTimeoutMs'>
}

/** How far the log is. */
export interface Merged {
  /** Leaves under the newest signed head, decimal. */
  readonly sealed: string
  /** Leaves that wait for their place, as far as was looked. */
  readonly pending: number
}

export type OnPlaced = (index: bigint | undefined, proof: Proof | undefined) => void

/** A leaf that this process committed. */
interface Own {
  /** Monotonic. */
  readonly since: number
  index?: bigint
  /** Who waits for the seal. */
  onPlaced?: OnPlaced | undefined
  timer?: ReturnType<typeof setTimeout>
}

export class Merger {
  readonly #options: MergerOptions
  /** By leaf hash: what no head covers that this process knows of. */
  readonly #own = new Map<string, Own>()
  #running: Promise<void> | undefined
  #timer: { readonly handle: ReturnType<typeof setTimeout>; readonly due: number } | undefined
  #last: Integration | undefined
  /** Leaves under the published head, at the most that was seen. */
  #published = 0n
  #failures = 0
  #closed = false

  constructor(options: MergerOptions) {
    this.#options = options
    this.#schedule()
  }

  /** Leaves wait for longer than the log promises. */
  get overdue(): boolean {
    const { clock, limits } = this.#options
    const [oldest] = this.#own.values()
    const own = oldest === undefined ? 0 : clock.monotonic() - oldest.since
    const since: UnixMillis | undefined = this.#last?.since
    const others = since === undefined ? 0 : clock.now() - since
    return Math.max(own, others) > limits.maxMergeDelayMs
  }

  /** Takes a committed leaf. `onPlaced` gets its proof, or none when there was no signed head over it in time. Throws nothing. */
  append(hash: Uint8Array, onPlaced?: OnPlaced): void {
    const own: Own = { since: this.#options.clock.monotonic(), onPlaced }
    this.#own.set(toHex(hash), own)
    if (onPlaced) {
      own.timer = setTimeout(() => answer(own), this.#options.limits.sealTimeoutMs)
      own.timer.unref?.()
    }
    this.#schedule()
  }

  /** What `look` finds once the log is far enough for it; undefined when it is not in time. */
  async until<T>(look: () => Promise<T | undefined>): Promise<T | undefined> {
    for (const ends = this.#ends(); ; ) {
      const found = await look()
      if (found !== undefined || !this.#before(ends)) return found
      await this.#turn().catch(() => undefined)
      await pause(ROUND_MS)
    }
  }

  /**
   * Gives places until none waits, and has them sealed: for a scheduler, where no timer runs. Gives up the lease in the end.
   *
   * @throws StoreError `unavailable`, as `LogStore.integrate`
   */
  async integrate(): Promise<Merged> {
    for (const ends = this.#ends(); ; ) {
      await this.#turn()
      const { leads = false, pending = 0 } = this.#last ?? {}
      const done = pending === 0 && this.#own.size === 0 && !leads
      if (done || !this.#before(ends))
        return { pending, sealed: (this.#options.sealer.head?.size ?? 0n).toString() }
      if (!leads || this.#own.size > 0) await pause(ROUND_MS)
    }
  }

  /** Nothing of this process is left waiting, where that can be had in time. */
  async close(): Promise<void> {
    if (this.#closed) return
    if (this.#own.size > 0 || this.#last?.leads) await this.integrate().catch(() => undefined)
    this.#closed = true
    clearTimeout(this.#timer?.handle)
    await this.#running?.catch(() => undefined)
    for (const own of this.#own.values()) answer(own)
  }

  /** One round, or the one that is under way. */
  #turn(): Promise<void> {
    this.#running ??= this.#round().finally(() => {
      this.#running = undefined
      this.#schedule()
    })
    return this.#running
  }

  async #round(): Promise<void> {
    const { log, sealer } = this.#options
    // Counts as one until it is over, also when it throws.
    this.#failures++
    const last = await log.integrate()
    this.#last = last
    const published = await publishedHead(log)
    this.#checkGrown(published?.size ?? 0n)
    if (published && published.size >= sealer.size) {
      await this.#extend(published.size)
      sealer.follow(published)
    }
    if (last.leads) {
      await this.#extend(last.size)
      await sealer.seal()
    }
    await this.#findOld()
    this.#settle()
    if (!last.leads || sizeOf(sealer.head) === sealer.size) this.#failures = 0
  }

  /** A log that was restored to what it was earlier would get other leaves at places that have been proven. */
  #checkGrown(size: bigint): void {
    if (size < this.#published) {
      const what = `the log has shrunk from ${this.#published} leaves to ${size}; restore it as a new one`
      throw new StoreError(this.#options.log.name, 'corrupt', what)
    }
    this.#published = size
  }

  /** The tree over the log's first `size` leaves, with the places of our own. */
  async #extend(size: bigint): Promise<void> {
    const { log, sealer } = this.#options
    if (size - sealer.size > FAR) return sealer.reopen(size)
    while (sealer.size < size) {
      const first = sealer.size
      const left = size - first
      const leaves = await log.leaves(first, left < BUNDLE ? Number(left) : BUNDLE)
      if (leaves.length === 0)
        throw new StoreError(log.name, 'corrupt', `leaf ${first} is not there; restore the store`)
      const hashes = leaves.map((leaf) => leafHash(leaf))
      for (const [i, hash] of hashes.entries()) {
        const own = this.#own.get(toHex(hash))
        if (own) own.index = first + BigInt(i)
      }
      sealer.extend(hashes)
    }
  }

  /** The tree may have passed a leaf before its commit came back. */
  async #findOld(): Promise<void> {
    const { clock, log } = this.#options
    const old = clock.monotonic() - OLD_MS
    let looked = 0
    for (const [hash, own] of this.#own) {
      if (own.since > old || ++looked > MAX_LOOKS) return
      if (own.index !== undefined) continue
      const index = await log.indexOf(fromHex(hash) as Uint8Array)
      if (index !== undefined) own.index = index
    }
  }

  /** Those under the newest head have what they wait for. */
  #settle(): void {
    const { sealer } = this.#options
    const size = sizeOf(sealer.head)
    const covered: [string, Own, bigint][] = []
    for (const [hash, own] of this.#own)
      if (own.index !== undefined && own.index < size) covered.push([hash, own, own.index])
    const proofs = sealer.proofs(covered.map(([, , index]) => index))
    for (const [i, [hash, own]] of covered.entries()) {
      this.#own.delete(hash)
      answer(own, proofs[i])
    }
  }

  /** A round that is due earlier stays due then: a stream of commits must not put it off. */
  #schedule(): void {
    if (this.#closed || this.#running !== undefined) return
    const wait = this.#wait()
    const due = wait === undefined ? undefined : this.#options.clock.monotonic() + wait
    if (due !== undefined && this.#timer !== undefined && this.#timer.due <= due) return
    clearTimeout(this.#timer?.handle)
    this.#timer = undefined
    if (due === undefined) return
    const handle = setTimeout(() => {
      this.#timer = undefined
      void this.#turn().catch(() => undefined)
    }, wait)
    handle.unref?.()
    this.#timer = { handle, due }
  }

  /** Milliseconds to the next round; undefined: only when somebody asks. */
  #wait(): number | undefined {
    const { mergeMs } = this.#options.limits
    const { leads = false, pending = 0 } = this.#last ?? {}
    const waiting = [...this.#own.values()].some(({ onPlaced }) => onPlaced)
    const often = mergeMs || (waiting ? ROUND_MS : undefined)
    if (often === undefined) return undefined
    if (this.#failures > 0) return Math.min(IDLE_MS, often * 2 ** this.#failures)
    if (leads && pending > 0) return 0
    return leads || this.#own.size > 0 ? often : IDLE_MS
  }

  #ends(): number {
    const { clock, limits } = this.#options
    return clock.monotonic() + limits.sealTimeoutMs
  }

  #before(ends: number): boolean {
    return !this.#closed && this.#options.clock.monotonic() < ends
  }
}

/**
 * The log's size once no leaf waits for its place: for whoever works on the log of servers that are stopped.
 *
 * @throws StoreError `unavailable`: they are not, and go on
 */
export async function settledSize(log: LogStore): Promise<bigint> {
  for (let round = 0; round < SETTLING_ROUNDS; round++) {
    const { pending, size } = await log.integrate()
    if (pending === 0) return size
    await pause(ROUND_MS)
  }
  throw new StoreError(log.name, 'unavailable', 'other servers write to this log; stop them')
}
/** Longer than the lease of one that died. */
const SETTLING_ROUNDS = 200

/** Between two looks while somebody waits. */
const ROUND_MS = 50
/** Between two looks while nothing is known to wait: others may have died with theirs. */
const IDLE_MS = 5000
/** Leaves that are read one after the other rather than the tree opened anew. */
const FAR = 4096n
const BUNDLE = 256
/** Milliseconds after which a leaf is looked up by its hash, and how many are in one round. */
const OLD_MS = 1000
const MAX_LOOKS = 64

const sizeOf = (head: Head | undefined): bigint => head?.size ?? 0n

/** Whoever waits is answered once. */
function answer(own: Own, proof?: Proof): void {
  clearTimeout(own.timer)
  const { onPlaced } = own
  own.onPlaced = undefined
  onPlaced?.(own.index, proof)
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
