/**
 * The signed policies that serve: asked for at their source again and again, checked, tried out, kept on disk, and only then activated.
 * Whatever is wrong with a new one, the one before it goes on deciding.
 */

import { randomBytes, sha256Hex } from '../../../core/crypto.ts'
import { KernelError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Kernel } from '../../../core/kernel.ts'
import type { Clock, UnixMillis } from '../../../core/ports/clock.ts'
import type { CapabilitySet, Release } from '../../../core/ports/compiler.ts'
import type { DataOperation } from '../../../core/ports/engine.ts'
import type { Store } from '../../../core/ports/store.ts'
import type { PolicyEvent } from '../live.ts'
import type { Limits } from './archive.ts'
import type { BundleCache } from './cache.ts'
import { isRefusal } from './refused.ts'
import { MAX_DELTAS, resume, type Serving, take } from './serving.ts'
import type { BundleSource, Fetched } from './source.ts'
import type { Trial } from './trial.ts'
import type { BundleTrust } from './verify.ts'

export interface KeeperOptions {
  readonly source: BundleSource
  readonly trust: BundleTrust
  readonly limits: Limits
  /** What a bundle may be compiled with. */
  readonly capabilities: CapabilitySet
  readonly trial: Omit<Trial, 'recorded'>
  readonly kernel: Pick<Kernel, 'activate' | 'refusePolicy' | 'update'>
  readonly store: Pick<Store, 'get'>
  readonly cache: BundleCache
  /** Documents after a change; it may make it in place. @throws where the operations do not fit */
  readonly patched: (data: Json, operations: readonly DataOperation[]) => Json
  readonly clock: Clock
  /** Milliseconds between two questions where the source does not wait itself; after failures up to `maxMs`. */
  readonly poll: { readonly minMs: number; readonly maxMs: number }
  /** Without a word of the source for so long, the policy counts as stale. */
  readonly staleAfterMs: number
  readonly onPolicy: (event: PolicyEvent) => void
}

/** How sure it is that nothing newer exists. */
export interface Standing {
  readonly release: Release | undefined
  /** When the source said last that this is its newest bundle; undefined: it never did. */
  readonly confirmedAt: UnixMillis | undefined
  readonly stale: boolean
}

/** Where the last bundle of the source was kept, or refused. */
interface Offered {
  readonly tag: string | undefined
  readonly bytes: string
  readonly serves: boolean
}

export class BundleKeeper {
  readonly #options: KeeperOptions
  readonly #closing = new AbortController()
  #serving: Serving | undefined
  #confirmedAt: UnixMillis | undefined
  #offered: Offered | undefined
  #failures = 0
  /** The code of the failure that was told last, until something is well again. */
  #told: string | undefined
  #following = false
  #running: Promise<void> = Promise.resolve()

  private constructor(options: KeeperOptions) {
    this.#options = options
  }

  /**
   * The last bundle that served, else what the source has.
   *
   * @throws BundleRefusal, BundleError, SourceError, EngineError, NoDecision: nothing serves
   */
  static async open(options: KeeperOptions): Promise<BundleKeeper> {
    const keeper = new BundleKeeper(options)
    if (!(await keeper.#resume())) await keeper.#ask()
    return keeper
  }

  /** Asks from now on, until {@link close}. */
  follow(): void {
    this.#following = true
    this.#running = this.#loop()
  }

  /** As {@link Standing.confirmedAt}: asked for with each decision. */
  get confirmedAt(): UnixMillis | undefined {
    return this.#confirmedAt
  }

  get standing(): Standing {
    const { clock, staleAfterMs } = this.#options
    const at = this.#confirmedAt
    const stale = at === undefined || clock.now() - at > staleAfterMs
    return { release: this.#serving?.release, confirmedAt: at, stale }
  }

  async close(): Promise<void> {
    this.#closing.abort(new Error('closing'))
    await this.#running
    await this.#options.source.close()
  }

  async #resume(): Promise<boolean> {
    const { cache, clock } = this.#options
    try {
      this.#serving = await resume(this.#options)
    } catch (error) {
      if (!isRefusal(error)) throw error
      await this.#refuse(error, 'cache')
      this.#tell(error)
      return false
    }
    if (this.#serving === undefined) return false
    const at = await cache.confirmed(this.#serving.release.content)
    // A file that speaks of the future is not to be believed.
    if (at !== undefined && at <= clock.now()) this.#confirmedAt = at
    return true
  }

  async #loop(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      try {
        await this.#ask()
        this.#failures = 0
      } catch (error) {
        if (this.#closing.signal.aborted) return
        this.#failures++
        this.#tell(error)
      }
      await this.#pause()
    }
  }

  /** One question to the source, and what follows from the answer. */
  async #ask(): Promise<void> {
    const deltas =
      this.#offered?.serves === true && (this.#serving?.chain.length ?? 0) <= MAX_DELTAS
    const fetched = await this.#fetch(deltas)
    if (fetched.kind === 'unchanged') return this.#confirm(this.#offered)
    const bytes = sha256Hex(fetched.bytes)
    if (bytes === this.#offered?.bytes) this.#offered = { ...this.#offered, tag: fetched.tag }
    else {
      try {
        await this.#judge(fetched.bytes, { tag: fetched.tag, bytes })
      } catch (error) {
        if (!deltas || !isRefusal(error)) throw error
        // Perhaps a delta that does not fit: what the source has is asked for as a whole, whatever it gave before.
        this.#tell(error)
        this.#offered = { tag: undefined, bytes, serves: false }
        return this.#ask()
      }
    }
    await this.#confirm(this.#offered)
  }

  /** What is too large, or was cut off, is refused as well: once, while it stays so. */
  async #fetch(deltas: boolean): Promise<Fetched> {
    const { signal } = this.#closing
    try {
      return await this.#options.source.ask({ tag: this.#offered?.tag, deltas, signal })
    } catch (error) {
      if (isRefusal(error) && this.#told !== error.code) await this.#refuse(error, 'source')
      throw error
    }
  }

  /** A refused bundle is remembered, so that it is refused once; what failed for another reason is fetched again. */
  async #judge(bytes: Uint8Array, offered: Omit<Offered, 'serves'>): Promise<void> {
    this.#offered = undefined
    try {
      await this.#take(bytes)
      this.#offered = { ...offered, serves: true }
    } catch (error) {
      if (!isRefusal(error)) throw error
      await this.#refuse(error, 'source', bytes)
      this.#offered = { ...offered, serves: false }
      throw error
    }
  }

  async #take(bytes: Uint8Array): Promise<void> {
    const before = this.#serving
    const now = await take(bytes, before, this.#options)
    if (now === before) return
    this.#serving = now
    this.#tell(undefined)
    await this.#options.cache.prune([...now.chain, ...(before?.chain ?? [])])
  }

  /** A failure once while it lasts, and what serves when it is over. */
  #tell(error: unknown): void {
    const { onPolicy } = this.#options
    const code = error === undefined ? undefined : codeOf(error)
    const before = this.#told
    this.#told = code
    if (code !== undefined && code !== before) onPolicy({ kind: 'refused', error })
    if (code !== undefined || this.#serving === undefined) return
    // Whoever starts a server knows what serves, unless something else was told before.
    if (!this.#following && before === undefined) return
    const { digest, revision } = this.#serving.policy
    onPolicy({ kind: 'active', digest, revision })
  }

  /** Where even the log cannot be written, the refusal still holds. */
  async #refuse(
    { code }: KernelError,
    from: 'cache' | 'source',
    bytes?: Uint8Array,
  ): Promise<void> {
    const { kernel, source } = this.#options
    const offered: Json = {
      code,
      from: from === 'cache' ? 'cache' : source.name,
      ...(bytes === undefined ? {} : { archive: `sha256:${sha256Hex(bytes)}` }),
    }
    await kernel.refusePolicy(`bundle_${code}`, offered).catch((failure: unknown) => {
      if (!(failure instanceof KernelError)) throw failure
    })
  }

  async #confirm(offered: Offered | undefined): Promise<void> {
    const content = this.#serving?.release.content
    if (offered?.serves !== true || content === undefined) return
    const { cache, clock } = this.#options
    if (this.#told !== undefined) this.#tell(undefined)
    this.#confirmedAt = clock.now()
    await cache.confirm(content, this.#confirmedAt)
  }

  /** Failures make it wait longer, each time up to twice as long, and never as long as another server. */
  #pause(): Promise<void> {
    const { poll, source } = this.#options
    if (this.#failures === 0 && source.waits) return Promise.resolve()
    const longest = Math.min(poll.maxMs, poll.minMs * 2 ** Math.min(this.#failures, 20))
    const { signal } = this.#closing
    return new Promise((resolve) => {
      const timer = setTimeout(done, jittered(longest))
      function done(): void {
        clearTimeout(timer)
        signal.removeEventListener('abort', done)
        resolve()
      }
      signal.addEventListener('abort', done)
      if (signal.aborted) done()
    })
  }
}

/** Between half of it and all of it. */
function jittered(ms: number): number {
  const [byte = 0] = randomBytes(1)
  return ms * (0.5 + byte / 512)
}

function codeOf(error: unknown): string {
  return error instanceof KernelError ? error.code : 'internal'
}
