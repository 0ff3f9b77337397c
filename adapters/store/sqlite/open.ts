/** From a path to a connection that is ours, locked, checked and configured; or to one typed error, with nothing left open. */
import { closeSync, existsSync, mkdirSync, openSync, realpathSync, statSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { StoreError } from '../../../core/error.ts'
import { checkIntegrity, type Integrity, identify } from './check.ts'
import { lacksSideFiles, NAME, storeFailure } from './failure.ts'
import { lockForWriting, type WriterLock } from './lock.ts'
import { APPLICATION_ID, FORMAT, SCHEMA } from './schema.ts'

export interface OpenOptions {
  readonly path: string
  readonly integrity: Integrity
  readonly readOnly: boolean
  readonly maxBytes: number | undefined
}
export interface Opened {
  readonly connection: DatabaseSync
  readonly lock: WriterLock | undefined
}

/** Another process that recovers or checkpoints holds a lock for moments. */
export const BUSY_MS = 2000
const PAGE_BYTES = 4096
/** Of log before it is written back, about 32 MiB: enough to write a hot page once for many commits. */
export const CHECKPOINT_BYTES: number = 8192 * (PAGE_BYTES + 24)

/** @throws StoreError of any code that `openSqlite` names */
export function openDatabase(options: OpenOptions): Opened {
  const closing: (() => void)[] = []
  try {
    const opened = options.readOnly
      ? { connection: openToRead(options.path, closing), lock: undefined }
      : openToWrite(options, closing)
    checkAtRest(opened.connection, options.integrity)
    return opened
  } catch (error) {
    for (const close of closing.reverse()) close()
    throw storeFailure(error)
  }
}

function checkAtRest(connection: DatabaseSync, integrity: Integrity): void {
  // In one transaction, so that a live writer does not move the rows between two questions.
  connection.exec('BEGIN')
  checkIntegrity(connection, integrity)
  connection.exec('COMMIT')
}

function openToWrite({ path, maxBytes }: OpenOptions, closing: (() => void)[]): Opened {
  const folder = dirname(resolve(path))
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // Without links: two names of one file must not lead to two locks.
  const at = existsSync(path) ? realpathSync(path) : join(realpathSync(folder), basename(path))
  const lock = lockForWriting(at)
  closing.push(() => lock.release())
  createFile(at)
  const connection = new DatabaseSync(at, { timeout: BUSY_MS, enableForeignKeyConstraints: false })
  closing.push(() => connection.close())
  const found = identify(connection)
  configure(connection, maxBytes)
  if (found === 'empty') initialise(connection)
  return { connection, lock }
}

/** Openings hold personal data: nobody else reads the file. SQLite gives its side files the same mode. */
function createFile(at: string): void {
  const size = (file: string): number => (existsSync(file) ? statSync(file).size : 0)
  if (size(at) > 0) return
  // SQLite would take the write-ahead log for a leftover and delete it, and with it the newest commits.
  if (size(`${at}-wal`) > 0)
    throw new StoreError(NAME, 'corrupt', `${at} is gone and its log is not; restore a backup`)
  if (!existsSync(at)) closeSync(openSync(at, 'wx', 0o600))
}

/** SQLite would write its log back by itself, and go on when the sync of that fails: the session does it instead. */
function configure(connection: DatabaseSync, maxBytes: number | undefined): void {
  const mode = connection.prepare('PRAGMA journal_mode = WAL').get()
  if (mode?.journal_mode !== 'wal')
    throw new StoreError(NAME, 'unavailable', 'the file system does not carry a write-ahead log')
  connection.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA cache_size = -65536;
    PRAGMA secure_delete = ON;
    PRAGMA wal_autocheckpoint = 0;
    PRAGMA journal_size_limit = ${CHECKPOINT_BYTES};
  `)
  if (maxBytes !== undefined)
    connection.exec(`PRAGMA max_page_count = ${Math.max(1, Math.floor(maxBytes / PAGE_BYTES))}`)
}

function initialise(connection: DatabaseSync): void {
  connection.exec(`
    BEGIN IMMEDIATE;
    ${Object.values(SCHEMA).join(';\n')};
    INSERT INTO meta VALUES ('version', 0);
    PRAGMA application_id = ${APPLICATION_ID};
    PRAGMA user_version = ${FORMAT};
    COMMIT
  `)
}

function openToRead(path: string, closing: (() => void)[]): DatabaseSync {
  if (!existsSync(path))
    throw new StoreError(
      NAME,
      'unavailable',
      `there is no database at ${path}; start a writer first`,
    )
  const at = realpathSync(path)
  let connection = new DatabaseSync(at, { readOnly: true, timeout: BUSY_MS })
  closing.push(() => connection.close())
  try {
    refuseEmpty(connection, path)
  } catch (error) {
    if (!lacksSideFiles(error) || existsSync(`${at}-wal`)) throw error
    // Closed cleanly, in a folder where no side file can be made: what is in the file is all there is.
    connection.close()
    const still = pathToFileURL(at)
    still.searchParams.set('immutable', '1')
    connection = new DatabaseSync(still, { readOnly: true })
    refuseEmpty(connection, path)
  }
  return connection
}

function refuseEmpty(connection: DatabaseSync, path: string): void {
  if (identify(connection) === 'empty')
    throw new StoreError(NAME, 'unavailable', `${path} has no tables yet; start a writer first`)
}
