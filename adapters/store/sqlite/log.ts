/** The log's rows. Leaves are written by the paired store's commits; what is published rides on the next commit, or on a timer. */

import type { StatementSync } from 'node:sqlite'
import { sameBytes } from '../../../core/crypto.ts'
import { LogError, StoreError } from '../../../core/error.ts'
import { leafHash } from '../../../core/log/leaf.ts'
import type { Integration, LogStore, Published, Tile } from '../../../core/ports/logstore.ts'
import { checkLeafRange, checkPublished } from '../../../core/storage.ts'
import { RUN_BITS } from './schema.ts'
import type { Session } from './session.ts'

/** How long a published head waits for a commit to ride on. */
const FLUSH_MS = 100
const MAX_ROWID = 2n ** 63n - 1n

export class SqliteLog implements LogStore {
  readonly name = 'logstore/sqlite'
  readonly #session: Session
  readonly #sql: Statements
  /** Committed leaves. Only meaningful for the writer, like everything below. */
  #size: number
  /** With those of the transaction under way. */
  #next: number
  #newest: Published['checkpoint'] | undefined
  #headQueued = false
  readonly #queuedTiles = new Map<string, Tile>()
  #timer: ReturnType<typeof setTimeout> | undefined
  #closed = false

  constructor(session: Session) {
    session.join()
    this.#session = session
    this.#sql = statements(session)
    this.#size = this.#storedSize()
    this.#next = this.#size
    this.#newest = this.#storedHead()
  }

  /** {@link Session.transaction}, with what was published before. */
  transaction<T>(work: () => T): T {
    try {
      const done = this.#session.transaction(() => {
        this.#writeQueued()
        return work()
      })
      this.#size = this.#next
      this.#headQueued = false
      this.#queuedTiles.clear()
      clearTimeout(this.#timer)
      this.#timer = undefined
      return done
    } catch (error) {
      this.#next = this.#size
      throw error
    }
  }

  /** The leaf's place. Only within {@link transaction}. */
  append(leaf: Uint8Array): bigint {
    const index = this.#next
    this.#sql.addLeaf.run(index, leafHash(leaf), leaf)
    this.#next += 1
    return BigInt(index)
  }

  async size(): Promise<bigint> {
    this.#assertOpen()
    return BigInt(
      this.#session.readOnly ? this.#session.read(() => this.#storedSize()) : this.#size,
    )
  }

  async leaves(from: bigint, count: number): Promise<readonly Uint8Array[]> {
    this.#assertOpen()
    checkLeafRange(from, count)
    if (from > MAX_ROWID) return []
    return this.#session.read(() => rows(this.#sql.leaves.all(from, count)).map(([leaf]) => leaf))
  }

  async indexOf(hash: Uint8Array): Promise<bigint | undefined> {
    this.#assertOpen()
    return this.#session.read(() => {
      // Newest first: what is asked for was mostly written lately.
      for (let run = Math.floor((this.#storedSize() - 1) / 2 ** RUN_BITS); run >= 0; run--) {
        const row = this.#sql.indexOf.get(run, hash) as unknown as [number] | undefined
        if (row) return BigInt(row[0])
      }
      return undefined
    })
  }

  async tile(level: number, index: bigint): Promise<Uint8Array | undefined> {
    this.#assertOpen()
    return this.#tile(level, index)?.slice()
  }

  async checkpoint(): Promise<Uint8Array | undefined> {
    this.#assertOpen()
    if (!this.#session.readOnly) return this.#newest?.note.slice()
    return this.#session.read(() => this.#storedHead()?.note)
  }

  async publish(published: Published): Promise<void> {
    this.#assertOpen()
    if (this.#session.readOnly)
      throw new StoreError(this.name, 'read_only', 'it was opened to read; open it to write')
    this.#checkPublished(published)
    for (const { level, index, hashes } of published.tiles)
      this.#queuedTiles.set(`${level}/${index}`, { level, index, hashes: new Uint8Array(hashes) })
    const { size, root, note } = published.checkpoint
    this.#newest = { size, root: new Uint8Array(root), note: new Uint8Array(note) }
    this.#headQueued = true
    this.#timer ??= setTimeout(() => this.#flush(), FLUSH_MS).unref()
  }

  async integrate(): Promise<Integration> {
    return { size: await this.size(), leads: true, pending: 0 }
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#flush()
    clearTimeout(this.#timer)
    this.#session.leave()
  }

  #checkPublished(published: Published): void {
    checkPublished(this.name, published, BigInt(this.#size), this.#newest)
    for (const { level, index, hashes } of published.tiles) {
      const known = this.#tile(level, index)
      if (known && !sameBytes(known, hashes))
        throw new LogError(this.name, 'conflict', `tile ${level}/${index} was published otherwise`)
    }
  }

  /** Published things follow from leaf rows: what cannot be written now is made again, so a failure is nobody's. */
  #flush(): void {
    this.#timer = undefined
    if (!this.#headQueued) return
    try {
      this.transaction(() => undefined)
    } catch {
      // The queue is kept for the next commit, which reports the same failure to somebody who waits for it.
    }
  }

  #writeQueued(): void {
    for (const { level, index, hashes } of this.#queuedTiles.values())
      this.#sql.addTile.run(level, index, hashes)
    if (this.#headQueued && this.#newest) {
      const { size, root, note } = this.#newest
      this.#sql.setHead.run(size, root, note)
    }
  }

  #tile(level: number, index: bigint): Uint8Array | undefined {
    const queued = this.#queuedTiles.get(`${level}/${index}`)
    if (queued || index > MAX_ROWID) return queued?.hashes
    const row = this.#session.read(() => this.#sql.tile.get(level, index))
    return (row as unknown as [Uint8Array] | undefined)?.[0]
  }

  #storedSize(): number {
    const row = this.#sql.size.get() as unknown as [number | null]
    return (row[0] ?? -1) + 1
  }

  #storedHead(): Published['checkpoint'] | undefined {
    const row = this.#sql.head.get() as unknown as [number, Uint8Array, Uint8Array] | undefined
    return row && { size: BigInt(row[0]), root: row[1], note: row[2] }
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError(this.name, 'closed', 'the log was closed; open it again')
    this.#session.assertHealthy()
  }
}

const rows = (all: unknown): [Uint8Array][] => all as [Uint8Array][]

type Statements = Record<
  'addLeaf' | 'addTile' | 'head' | 'indexOf' | 'leaves' | 'setHead' | 'size' | 'tile',
  StatementSync
>
function statements(session: Session): Statements {
  return {
    addLeaf: session.prepare('INSERT INTO leaves VALUES (?, ?, ?)'),
    addTile: session.prepare('INSERT OR IGNORE INTO tiles VALUES (?, ?, ?)'),
    head: session.prepare('SELECT size, root, note FROM checkpoint'),
    indexOf: session.prepare(`SELECT idx FROM leaves WHERE idx >> ${RUN_BITS} = ? AND hash = ?`),
    leaves: session.prepare('SELECT leaf FROM leaves WHERE idx >= ? ORDER BY idx LIMIT ?'),
    setHead: session.prepare('INSERT OR REPLACE INTO checkpoint VALUES (0, ?, ?, ?)'),
    size: session.prepare('SELECT max(idx) FROM leaves'),
    tile: session.prepare('SELECT hashes FROM tiles WHERE level = ? AND idx = ?'),
  }
}
