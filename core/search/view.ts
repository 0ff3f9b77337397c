/**
 * What one search reads, so that all of it held at one instant. Every read is remembered and answered from memory; when everything has been
 * read, it is read again. A record at the same version was never another one in between, since versions do not come back. That something
 * was absent twice proves less: it may have come and gone. So absences, and what a page did not list, are looked at in a window in which
 * the log did not grow, and every write to a plugin's partition comes with a leaf (`docs/decisions/0006-searches-see-one-instant.md`).
 */
import { nextTurn } from '../commit.ts'
import { KeyMap } from '../keymap.ts'
import type { CandidateReads, Listed } from '../plugin.ts'
import type { Clock } from '../ports/clock.ts'
import type { LogStore } from '../ports/logstore.ts'
import type { Batch, Key, Outcome, Store, Stored, Version } from '../ports/store.ts'
import type { RecordCache } from '../reads.ts'

interface Page {
  readonly partition: string
  readonly prefix: string
  readonly after: string | undefined
  readonly limit: number
  readonly rows: readonly Stored[]
}

export class View implements Store {
  readonly name: string
  readonly durable: boolean
  readonly ordersOnCommit: boolean
  readonly maxBatch: number
  readonly maxValueBytes: number
  readonly #store: Store
  readonly #log: LogStore
  readonly #pace: Pace
  readonly #reads = new KeyMap<{ readonly stored: Stored | undefined }>()
  readonly #pages = new Map<string, Page>()
  #watch: KeyMap<true> | undefined
  #size: bigint

  private constructor(store: Store, log: LogStore, pace: Pace, size: bigint) {
    this.name = store.name
    this.durable = store.durable
    this.ordersOnCommit = store.ordersOnCommit
    this.maxBatch = store.maxBatch
    this.maxValueBytes = store.maxValueBytes
    this.#store = store
    this.#log = log
    this.#pace = pace
    this.#size = size
  }

  static async open(store: Store, log: LogStore, pace: Pace): Promise<View> {
    return new View(store, log, pace, await log.size())
  }

  async get(key: Key): Promise<Stored | undefined> {
    this.#watch?.set(key, true)
    const known = this.#reads.get(key)
    if (known) return known.stored
    const stored = await this.#store.get(key)
    // Of two reads at the same time the first counts, for both.
    const read = this.#reads.get(key) ?? { stored }
    this.#reads.set(key, read)
    return read.stored
  }

  /** Not remembered: who lists guards the list by its generation, which is. */
  list(partition: string, prefix: string, after?: string): AsyncIterable<Stored> {
    return this.#store.list(partition, prefix, after)
  }

  commit(_: readonly Batch[]): Promise<readonly Outcome[]> {
    throw new TypeError('a search writes nothing')
  }

  async close(): Promise<void> {}

  /** What a plugin lists candidates from. */
  reads(partition: string, cache: RecordCache): CandidateReads {
    return {
      get: async (sort) => {
        const stored = await this.get({ partition, sort })
        return stored && cache.value(stored)
      },
      page: async (prefix, after, limit) => {
        const asked = { partition, prefix, after, limit }
        const name = JSON.stringify([partition, prefix, after, limit])
        const page = this.#pages.get(name) ?? { ...asked, rows: await this.#rows(asked) }
        this.#pages.set(name, page)
        return page.rows.map((row): Listed => ({ sort: row.key.sort, value: cache.value(row) }))
      },
    }
  }

  /** Runs `work` and says which records it looked at. One at a time. */
  async watched<T>(work: () => Promise<T>): Promise<readonly [T, KeyMap<true>]> {
    const watch = new KeyMap<true>()
    this.#watch = watch
    try {
      return [await work(), watch]
    } finally {
      this.#watch = undefined
    }
  }

  /** Whether everything that was read held at one instant. What changed is forgotten: `dropped` gets each of these records. */
  async held(dropped: (key: Key) => void): Promise<boolean> {
    const size = await this.#log.size()
    if (this.ordersOnCommit && size === this.#size) return true
    this.#size = size
    let held = await this.#gapsHeld(dropped)
    if (this.ordersOnCommit && (await this.#log.size()) !== size) held = false
    for (const [key, { stored }] of this.#reads) {
      if (stored === undefined) continue
      await this.#pace.step()
      if ((await this.#version(key)) === stored.version) continue
      this.#reads.delete(key)
      dropped(key)
      held = false
    }
    return held
  }

  /** Without a pause, so that in this process nothing is committed meanwhile: some microseconds each. */
  async #gapsHeld(dropped: (key: Key) => void): Promise<boolean> {
    let held = true
    for (const [key, { stored }] of this.#reads) {
      if (stored !== undefined || (await this.#version(key)) === undefined) continue
      this.#reads.delete(key)
      dropped(key)
      held = false
    }
    for (const [name, page] of this.#pages) {
      if (sameRows(page.rows, await this.#rows(page))) continue
      this.#pages.delete(name)
      held = false
    }
    return held
  }

  async #version(key: Key): Promise<Version | undefined> {
    return (await this.#store.get(key))?.version
  }

  async #rows({ partition, prefix, after, limit }: Omit<Page, 'rows'>): Promise<Stored[]> {
    const rows: Stored[] = []
    for await (const row of this.#store.list(partition, prefix, after)) {
      rows.push(row)
      if (rows.length === limit) break
    }
    return rows
  }
}

function sameRows(a: readonly Stored[], b: readonly Stored[]): boolean {
  return a.length === b.length && a.every(({ version }, i) => version === b[i]?.version)
}

/** Lets others have their turn whenever a slice of time is over. */
export class Pace {
  readonly #clock: Clock
  #since: number
  constructor(clock: Clock) {
    this.#clock = clock
    this.#since = clock.monotonic()
  }

  async step(): Promise<void> {
    if (this.#clock.monotonic() - this.#since < SLICE_MS) return
    await nextTurn()
    this.#since = this.#clock.monotonic()
  }
}
const SLICE_MS = 4
