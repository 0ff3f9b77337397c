/** A store and its log in one SQLite database, embedded: WAL, an fsync before every acknowledgement, one writer. @see https://www.sqlite.org/wal.html */
import type { LogStore } from '../../../core/ports/logstore.ts'
import type { Store } from '../../../core/ports/store.ts'
import { RecordCache } from './cache.ts'
import type { Integrity } from './check.ts'
import { storeFailure } from './failure.ts'
import { SqliteLog } from './log.ts'
import { openDatabase } from './open.ts'
import { Session } from './session.ts'
import { SqliteStore } from './store.ts'

export { compactSqlite, copySqlite } from './copy.ts'

export interface SqliteOptions {
  /** The database file; the writer makes it and its folder. Beside it lie `-wal`, `-shm` and `.lock`. */
  readonly path: string
  /** What is checked at the start; both read the whole file. Default `quick`. */
  readonly integrity?: Integrity
  /** Default false. Readers take no lock, may open while a writer runs, and never change the database. */
  readonly readOnly?: boolean
  /** The writer's memory for records. Default 64 MiB; 0 for none. */
  readonly cacheBytes?: number
  /** The file's largest size, without its write-ahead log; over it commits fail with `full`. Default: what the disk holds. */
  readonly maxBytes?: number
  /** How long older copies of what was overwritten or removed may lie in the write-ahead log, in milliseconds. Default 60,000. */
  readonly forgetMs?: number
}

const CACHE_BYTES = 64 * 1_048_576

/**
 * Opens the pair; each half is closed by itself, and the last one lets the next writer in.
 *
 * Not safe on a network file system, nor beside a program that writes to the same file with its own SQLite. A reader in a folder where it
 * cannot make files reads a cleanly closed database as it stands: open it again when a writer has started.
 *
 * @throws StoreError `locked`: another writer; `newer_version`: a later release wrote it; `corrupt`: damaged, shortened, or not ours;
 *   `read_only`, `full`; `unavailable`: no database there, or no way to open it
 */
export async function openSqlite(options: SqliteOptions): Promise<{ store: Store; log: LogStore }> {
  const { path, integrity = 'quick', readOnly = false, maxBytes, forgetMs } = options
  const session = new Session(
    openDatabase({ path, integrity, readOnly, maxBytes }),
    readOnly,
    forgetMs,
  )
  // Another process may change what a reader has seen.
  const cacheBytes = readOnly ? 0 : (options.cacheBytes ?? CACHE_BYTES)
  try {
    const log = new SqliteLog(session)
    return { store: new SqliteStore(session, log, new RecordCache(cacheBytes)), log }
  } catch (error) {
    session.close()
    throw storeFailure(error)
  }
}
