/** The records. One commit is one transaction; a batch writes nothing before all its conditions hold, so that it needs no savepoint. */
import type { StatementSync } from 'node:sqlite'
import { StoreError } from '../../../core/error.ts'
import { KeyMap } from '../../../core/keymap.ts'
import type { Batch, Key, Outcome, Store, Stored, Write } from '../../../core/ports/store.ts'
import { batchError, checkKey, checkRange, compareUtf8, keyOf } from '../../../core/storage.ts'
import { ABSENT, type Entry, type RecordCache } from './cache.ts'
import { NAME } from './failure.ts'
import type { SqliteLog } from './log.ts'
import type { Session } from './session.ts'

/** Rows and bytes after which a page of a listing ends. */
const PAGE_ROWS = 256
const PAGE_BYTES = 1_048_576

type Put = Extract<Write, { readonly put: Key }>
/** Records as the transaction under way leaves them. */
type Staged = KeyMap<Entry>

export class SqliteStore implements Store {
  readonly name: string = NAME
  readonly durable = true
  readonly ordersOnCommit = true
  readonly maxBatch = 1000
  readonly maxValueBytes = 1_048_576
  readonly #session: Session
  readonly #log: SqliteLog
  readonly #cache: RecordCache
  readonly #sql: Statements
  /** The last version given out; goes on after a failed commit, so that none is given out twice. */
  #versions: number
  #storedVersions: number
  #closed = false

  constructor(session: Session, log: SqliteLog, cache: RecordCache) {
    session.join()
    this.#session = session
    this.#log = log
    this.#cache = cache
    this.#sql = statements(session)
    this.#versions = (this.#sql.versions.get() as unknown as [number])[0]
    this.#storedVersions = this.#versions
  }

  async get(key: Key): Promise<Stored | undefined> {
    this.#assertOpen()
    checkKey(NAME, key)
    const { value, version } = this.#cache.get(key) ?? this.#load(key)
    if (!value) return undefined
    return {
      key: { partition: key.partition, sort: key.sort },
      version,
      // Most readers only look at the version; the others get bytes of their own.
      get value() {
        return value.slice()
      },
    }
  }

  async *list(partition: string, prefix: string, after?: string): AsyncIterable<Stored> {
    this.#assertOpen()
    checkRange(NAME, partition, prefix, after)
    const end = endOf(prefix)
    let start = after === undefined || compareUtf8(after, prefix) < 0 ? prefix : `${after}\0`
    for (;;) {
      const page = this.#page(partition, start, end)
      yield* page
      const last = page.at(-1)
      if (!last) return
      // No key has U+0000: this is the least text above the last key.
      start = `${last.key.sort}\0`
      this.#assertOpen()
    }
  }

  async commit(batches: readonly Batch[]): Promise<readonly Outcome[]> {
    this.#assertOpen()
    const staged: Staged = new KeyMap()
    const outcomes = this.#log.transaction(() => {
      const applied = batches.map((batch) => this.#apply(batch, staged))
      if (this.#versions > this.#storedVersions) this.#sql.setVersions.run(this.#versions)
      return applied
    })
    this.#storedVersions = this.#versions
    for (const [key, entry] of staged) if (this.#cache.has(key)) this.#cache.set(key, entry)
    return outcomes
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    this.#session.leave()
  }

  #apply(batch: Batch, staged: Staged): Outcome {
    const error = batchError(this, batch)
    if (error) return { error }
    const first = batch.writes.find((write) => this.#isUnknownInsert(write, staged))
    for (const write of batch.writes) {
      if (write !== first && this.#version(keyOf(write), staged) !== write.if)
        return { conflict: { ...keyOf(write) } }
    }
    if (first && !this.#insert(first, staged)) return { conflict: { ...keyOf(first) } }
    for (const write of batch.writes) if (write !== first) this.#write(write, staged)
    return batch.leaf ? { index: this.#log.append(batch.leaf) } : {}
  }

  /**
   * A new record of which nothing is known in memory, such as every decision's own. The first one of a batch is tried before anything else is
   * written, so that its condition costs no query of its own and a conflict leaves no trace.
   */
  #isUnknownInsert(write: Write, staged: Staged): write is Put {
    if (!('put' in write) || write.if !== 'absent') return false
    return !staged.has(write.put) && !this.#cache.has(write.put)
  }

  /** False when there is such a record. */
  #insert({ put, value }: Put, staged: Staged): boolean {
    const version = this.#versions + 1
    if (this.#sql.insert.run(put.partition, put.sort, value, version).changes !== 1) return false
    this.#versions = version
    staged.set(put, { version: String(version), value: undefined })
    return true
  }

  #version(key: Key, staged: Staged): string {
    const known = staged.get(key) ?? this.#cache.get(key)
    if (known) return known.version
    const row = this.#sql.version.get(key.partition, key.sort) as unknown as [number] | undefined
    return row ? String(row[0]) : ABSENT.version
  }

  #write(write: Write, staged: Staged): void {
    if ('check' in write) return
    if ('remove' in write || write.if !== 'absent') this.#session.forgetLater()
    const key = keyOf(write)
    const { partition, sort } = key
    if ('remove' in write) {
      this.#once(this.#sql.remove.run(partition, sort))
      staged.set(key, ABSENT)
      return
    }
    this.#versions += 1
    const { value } = write
    if (write.if === 'absent')
      this.#once(this.#sql.insert.run(partition, sort, value, this.#versions))
    else this.#once(this.#sql.update.run(value, this.#versions, partition, sort))
    // Only what goes into the cache needs a copy.
    const copy = this.#cache.has(key) ? new Uint8Array(value) : undefined
    staged.set(key, { version: String(this.#versions), value: copy })
  }

  /** The row that a condition just saw is gone: somebody else writes, or pages are damaged. */
  #once({ changes }: { changes: bigint | number }): void {
    if (changes !== 1) throw new StoreError(NAME, 'corrupt', 'a row vanished; restore a backup')
  }

  #load(key: Key): Entry {
    const { partition, sort } = key
    const row = this.#session.read(() => this.#sql.get.get(partition, sort)) as unknown as
      | [Uint8Array, number]
      | undefined
    const entry = row ? { value: row[0], version: String(row[1]) } : ABSENT
    this.#cache.set(key, entry)
    return entry
  }

  #page(partition: string, start: string, end: string | Uint8Array): Stored[] {
    return this.#session.read(() => {
      const page: Stored[] = []
      let bytes = 0
      for (const row of this.#sql.list.iterate(partition, start, end)) {
        const [sort, value, version] = row as unknown as [string, Uint8Array, number]
        page.push({ key: { partition, sort }, value, version: String(version) })
        bytes += value.length
        if (page.length === PAGE_ROWS || bytes >= PAGE_BYTES) break
      }
      return page
    })
  }

  #assertOpen(): void {
    if (this.#closed) throw new StoreError(NAME, 'closed', 'the store was closed; open it again')
    this.#session.assertHealthy()
  }
}

/** What is above every text that starts with `prefix`: the next text, or a blob, which SQLite puts above all texts. */
function endOf(prefix: string): string | Uint8Array {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0)
  for (let last = points.pop(); last !== undefined; last = points.pop()) {
    // The code points in between are surrogates, which no text has.
    if (last < 0x10ffff) return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1)
  }
  return new Uint8Array()
}

type Statements = Record<
  'get' | 'insert' | 'list' | 'remove' | 'setVersions' | 'update' | 'version' | 'versions',
  StatementSync
>
function statements(session: Session): Statements {
  const at = 'WHERE partition = ? AND sort = ?'
  return {
    get: session.prepare(`SELECT value, version FROM kv ${at}`),
    insert: session.prepare('INSERT OR IGNORE INTO kv VALUES (?, ?, ?, ?)'),
    list: session.prepare(
      'SELECT sort, value, version FROM kv WHERE partition = ? AND sort >= ? AND sort < ? ORDER BY sort',
    ),
    remove: session.prepare(`DELETE FROM kv ${at}`),
    setVersions: session.prepare("UPDATE meta SET value = ? WHERE name = 'version'"),
    update: session.prepare(`UPDATE kv SET value = ?, version = ? ${at}`),
    version: session.prepare(`SELECT version FROM kv ${at}`),
    versions: session.prepare("SELECT value FROM meta WHERE name = 'version'"),
  }
}
