/** One open database, shared by the store and its log: transactions, the failure that ends everything, and who still uses it. */
import { statSync } from 'node:fs'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { StoreError } from '../../../core/error.ts'
import { isSyncFailure, NAME, storeFailure } from './failure.ts'
import { BUSY_MS, CHECKPOINT_BYTES, type Opened } from './open.ts'

const FORGET_MS = 60_000

/**
 * The last writer to close writes the log back, syncs and deletes it: after a failed sync that would be the second try that must not be
 * made. It is not the last one while somebody reads, and a reader that closes writes nothing.
 */
function openReader(connection: DatabaseSync): DatabaseSync | undefined {
  const path = connection.location()
  if (path === null) return undefined
  try {
    const reader = new DatabaseSync(path, { readOnly: true })
    reader.prepare('SELECT 1 FROM meta').get()
    return reader
  } catch {
    // It cannot even be read any more.
    return undefined
  }
}

export class Session {
  readonly readOnly: boolean
  readonly #opened: Opened
  readonly #begin: StatementSync
  readonly #commit: StatementSync
  readonly #logPath: string
  readonly #forgetMs: number
  #users = 0
  #failure: StoreError | undefined
  #forgetting: ReturnType<typeof setTimeout> | undefined

  constructor(opened: Opened, readOnly: boolean, forgetMs: number = FORGET_MS) {
    this.#opened = opened
    this.readOnly = readOnly
    this.#forgetMs = forgetMs
    this.#logPath = `${opened.connection.location()}-wal`
    this.#begin = opened.connection.prepare('BEGIN IMMEDIATE')
    this.#commit = opened.connection.prepare('COMMIT')
    // What a process that was killed had overwritten.
    if (!readOnly) this.forgetLater()
  }

  /** Rows come as arrays, in the order of the columns. */
  prepare(sql: string): StatementSync {
    return this.#connection.prepare(sql, { returnArrays: true })
  }

  join(): void {
    this.#users += 1
  }

  /** The last one out closes the database and lets the next writer in. */
  leave(): void {
    this.#users -= 1
    if (this.#users <= 0) this.close()
  }

  close(): void {
    clearTimeout(this.#forgetting)
    const reader = this.#failure && !this.readOnly ? openReader(this.#connection) : undefined
    try {
      this.#connection.close()
      reader?.close()
    } finally {
      this.#opened.lock?.release()
    }
  }

  /** @throws StoreError `unavailable` or `corrupt` */
  read<T>(work: () => T): T {
    this.assertHealthy()
    try {
      return work()
    } catch (error) {
      throw storeFailure(error)
    }
  }

  /**
   * All of `work` or nothing, durable when it returns.
   *
   * @throws StoreError as `Store.commit` does. After `unknown_outcome` and `corrupt` nothing works any more: a page whose fsync failed
   *   may look written without being so, hence neither a second try nor a read of it proves anything.
   */
  transaction<T>(work: () => T): T {
    this.assertHealthy()
    if (this.readOnly)
      throw new StoreError(NAME, 'read_only', 'it was opened to read; open it to write')
    const done = this.#durably(work)
    this.#writeBack()
    return done
  }

  #durably<T>(work: () => T): T {
    let committing = false
    try {
      this.#begin.run()
      const done = work()
      committing = true
      this.#commit.run()
      return done
    } catch (error) {
      const failure = storeFailure(error, committing || isSyncFailure(error))
      this.#latch(failure)
      this.#rollBack()
      throw failure
    }
  }

  /** Moves a long write-ahead log into the database file. What fails here is not of the commit before it, which is durable. */
  #writeBack(): void {
    try {
      if (statSync(this.#logPath).size <= CHECKPOINT_BYTES) return
      this.#connection.exec('PRAGMA wal_checkpoint(PASSIVE)')
    } catch (error) {
      this.#latch(storeFailure(error, true))
    }
  }

  /** @returns whether nothing works from now on */
  #latch(failure: StoreError): boolean {
    if (failure.code !== 'unknown_outcome' && failure.code !== 'corrupt') return false
    this.#failure ??= failure
    return true
  }

  /**
   * A record was overwritten or removed. Deleted bytes are zeroed in the file, and older copies of their pages lie in the write-ahead log
   * until it is written back whole: that is done within a minute, or as soon as no reader stands in the way.
   */
  forgetLater(): void {
    this.#forgetting ??= setTimeout(() => this.#forget(), this.#forgetMs).unref()
  }

  #forget(): void {
    this.#forgetting = undefined
    if (this.#failure) return
    try {
      // A reader in another process is not waited for: everybody else would wait too.
      this.#connection.exec('PRAGMA busy_timeout = 0')
      const [row] = this.#connection.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()
      if (row?.busy !== 0) this.forgetLater()
    } catch (error) {
      if (!this.#latch(storeFailure(error, true))) this.forgetLater()
    } finally {
      this.#connection.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
    }
  }

  get #connection(): DatabaseSync {
    return this.#opened.connection
  }

  #rollBack(): void {
    try {
      // SQLite has rolled back by itself after some failures.
      if (this.#connection.isTransaction) this.#connection.exec('ROLLBACK')
    } catch (error) {
      this.#failure ??= storeFailure(error)
    }
  }

  /** Also for answers from memory: after a failure nobody knows whether they are still true. */
  assertHealthy(): void {
    if (!this.#failure) return
    const code = this.#failure.code === 'corrupt' ? 'corrupt' : 'unavailable'
    const what = 'refused since an earlier failure of the database; restart'
    throw new StoreError(NAME, code, what, { cause: this.#failure })
  }
}
