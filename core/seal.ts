/**
 * Signs heads. Every head comes from rows that are on disk, so after a crash the same rows give the same head; its signature too where the
 * key is Ed25519. An ECDSA key may sign one head twice, in other bytes each time: nothing compares the notes of one head.
 */
import { sameBytes } from './crypto.ts'
import { LogError, StoreError } from './error.ts'
import { formatCheckpoint, parseCheckpoint } from './log/checkpoint.ts'
import { joinNotes, parseNote, signNote } from './log/note.ts'
import { rootAt } from './log/proof.ts'
import { Tree } from './log/tree.ts'
import type { Watching } from './observe.ts'
import type { Clock } from './ports/clock.ts'
import type { Custody, PublicKey } from './ports/custody.ts'
import type { LogStore, Tile } from './ports/logstore.ts'

/** A signed head: everything in the log's first `size` leaves. */
export interface Head {
  readonly size: bigint
  readonly root: Uint8Array
  /** A checkpoint: C2SP signed note. */
  readonly note: Uint8Array
}

/** That a leaf is under a head. */
export interface Proof {
  readonly head: Head
  readonly path: readonly Uint8Array[]
}

export interface SealerOptions {
  readonly origin: string
  readonly log: LogStore
  readonly custody: Custody
  /** An active key of scope `log`. */
  readonly key: PublicKey
  /** Signs too: the key that {@link key} takes over from, for the one head that both sign. */
  readonly retiring?: PublicKey | undefined
  readonly timeoutMs: number
  readonly clock: Clock
  readonly watching?: Watching | undefined
  /** Others sign this log too: what was signed last is theirs to say, and nothing is signed unless it is asked for. */
  readonly shared?: boolean
}

type OnSeal = (proof: Proof | undefined) => void

export class Sealer {
  readonly #options: SealerOptions
  #tree: Tree
  #head: Head | undefined
  #waiting: { readonly index: bigint; readonly onSeal: OnSeal }[] = []
  /** The tree lacks leaves that the log has: an outcome was unknown for a while. */
  #behind = false
  #running: Promise<void> | undefined
  #unpublished: Tile[] = []
  /** It is signed, and could not be published. */
  #owed: Head | undefined
  #retry: ReturnType<typeof setTimeout> | undefined

  private constructor(options: SealerOptions, tree: Tree) {
    this.#options = options
    this.#tree = tree
  }

  /** @throws StoreError `corrupt`: the rows do not lead to the published head. */
  static async open(options: SealerOptions): Promise<Sealer> {
    // Before the rows: while others write, a head that is read later may be ahead of them.
    const note = await options.log.checkpoint()
    const sealer = new Sealer(options, await Tree.open(options.log))
    if (note) await sealer.#checkPublished(note)
    if (!options.shared && sealer.#tree.size > (sealer.#head?.size ?? -1n)) await sealer.#start()
    return sealer
  }

  get head(): Head | undefined {
    return this.#head
  }
  get size(): bigint {
    return this.#tree.size
  }
  /** The newest leaves could not be sealed yet. */
  get unsealed(): boolean {
    return this.#retry !== undefined
  }

  /** Takes a committed leaf. `onSeal` gets the proof, or undefined when no head could be signed. Throws nothing. */
  append(index: bigint, leafHash: Uint8Array, onSeal?: OnSeal): void {
    if (!this.#behind && index === this.#tree.size) this.#tree.append(leafHash)
    else this.#behind = true
    if (onSeal) this.#waiting.push({ index, onSeal })
    this.#start()
  }

  /** The tree goes on with these leaves; a head over them is for {@link seal} or {@link follow}. */
  extend(leafHashes: Iterable<Uint8Array>): void {
    for (const leafHash of leafHashes) this.#tree.append(leafHash)
  }

  /** Starts again from the log's first `size` leaves, which are many more than the tree has. */
  async reopen(size: bigint): Promise<void> {
    const { log } = this.#options
    this.#tree = await Tree.open({
      leaves: (from, count) => log.leaves(from, count),
      tile: (level, index) => log.tile(level, index),
      size: async () => size,
    })
  }

  /** Signs and publishes a head over the whole tree. Throws nothing: where that fails {@link head} is another one, and it is tried again later. */
  async seal(): Promise<void> {
    if (this.#owed || this.#tree.size !== this.#head?.size) await this.#start()
  }

  /** Takes over a head that another process signed over exactly this tree. @throws StoreError `corrupt`: it is over other leaves */
  follow(head: Head): void {
    if (!sameBytes(this.#tree.root(), head.root)) throw this.#corrupt(head.size)
    // They are published with it.
    this.#tree.takeFullTiles()
    this.#unpublished = []
    this.#owed = undefined
    this.#head = head
  }

  /** Proofs under {@link head}, as far as the tree is at it and the leaves are recent. */
  proofs(indexes: readonly bigint[]): readonly (Proof | undefined)[] {
    const head = this.#head
    if (head?.size !== this.#tree.size) return indexes.map(() => undefined)
    return this.#tree.inclusions(indexes).map((path) => path && { head, path })
  }

  /** Resolves when no sealing is under way. */
  async idle(): Promise<void> {
    await this.#running
  }

  /** No more retries. */
  async close(): Promise<void> {
    await this.#running
    clearTimeout(this.#retry)
  }

  #start(): Promise<void> {
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined
    })
    return this.#running
  }

  async #run(): Promise<void> {
    // One microtask later the whole group has been appended.
    await undefined
    if (this.#owed) await this.#publish(this.#owed)
    while (this.#behind || this.#tree.size !== this.#head?.size) {
      const waiting = this.#waiting.splice(0)
      try {
        const sealed = await this.#seal(waiting.map(({ index }) => index))
        for (const [i, { onSeal }] of waiting.entries()) onSeal(sealed[i])
      } catch {
        this.#options.watching?.sealFailed()
        for (const { onSeal } of waiting) onSeal(undefined)
        this.#retryLater()
        return
      }
    }
    if (this.#owed) return
    clearTimeout(this.#retry)
    this.#retry = undefined
  }

  #retryLater(): void {
    clearTimeout(this.#retry)
    this.#retry = setTimeout(() => void this.#start(), RETRY_MS)
    this.#retry.unref?.()
  }

  async #seal(indexes: readonly bigint[]): Promise<(Proof | undefined)[]> {
    if (this.#behind) {
      this.#tree = await Tree.open(this.#options.log)
      this.#behind = false
    }
    // Taken together before the first await: later appends must not move the tree under the proofs.
    const size = this.#tree.size
    const root = this.#tree.root()
    const paths = this.#tree.inclusions(indexes)
    const { clock, origin, watching } = this.#options
    const began = clock.monotonic()
    const note = await this.#sign(formatCheckpoint({ origin, size, root }))
    watching?.sealed(size, clock.monotonic() - began)
    const head: Head = { size, root, note }
    this.#head = head
    await this.#publish(head)
    return paths.map((path) => (path ? { head, path } : undefined))
  }

  /** The head is signed whether or not it can be published: what is left over goes out with the next one. */
  async #publish(head: Head): Promise<void> {
    this.#unpublished.push(...this.#tree.takeFullTiles())
    try {
      await this.#options.log.publish({ tiles: this.#unpublished, checkpoint: head })
      this.#unpublished = []
      this.#owed = undefined
    } catch (error) {
      // Where others sign too, one of them was further: its head covers this one.
      const passed = this.#options.shared && error instanceof LogError && error.code === 'conflict'
      this.#owed = passed ? undefined : head
      if (!passed) this.#retryLater()
    }
  }

  async #sign(text: string): Promise<Uint8Array> {
    const { key, retiring, timeoutMs } = this.#options
    let timer: ReturnType<typeof setTimeout> | undefined
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error('the signer is late')), timeoutMs)
    })
    const signing = retiring
      ? Promise.all([this.#signWith(retiring, text), this.#signWith(key, text)])
      : this.#signWith(key, text)
    try {
      const signed = await Promise.race([signing, late])
      return Array.isArray(signed) ? joinNotes(...signed) : signed
    } finally {
      clearTimeout(timer)
    }
  }

  #signWith(key: PublicKey, text: string): Promise<Uint8Array> {
    const { custody, origin } = this.#options
    return signNote(text, origin, key.publicKey, (message) =>
      custody.sign({ key, purpose: 'log.checkpoint', message }),
    )
  }

  async #checkPublished(note: Uint8Array): Promise<void> {
    const { size, root } = parseCheckpoint(parseNote(note).text)
    const found = size <= this.#tree.size ? await rootAt(this.#options.log, size) : undefined
    if (!found || !sameBytes(found, root)) throw this.#corrupt(size)
    this.#head = { size, root, note }
  }

  #corrupt(size: bigint): StoreError {
    const what = `the rows do not lead to the published head of size ${size}; restore the store or start a new log`
    return new StoreError(this.#options.log.name, 'corrupt', what)
  }
}
const RETRY_MS = 1000
