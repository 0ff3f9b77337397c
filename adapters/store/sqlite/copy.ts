/** Copies and rewrites of a whole database file. @see https://www.sqlite.org/lang_vacuum.html */
import { closeSync, openSync } from 'node:fs'
import { storeFailure } from './failure.ts'
import { type OpenOptions, openDatabase } from './open.ts'

/**
 * One moment of the database as a file of its own, `to`, which must not exist; writers go on meanwhile. The copy has no free space, so nothing
 * that was erased is in it. Not synced: the caller's to do.
 *
 * @throws StoreError
 */
export function copySqlite(
  { path, integrity }: Pick<OpenOptions, 'integrity' | 'path'>,
  to: string,
): void {
  const opened = openDatabase({ path, integrity, readOnly: true, maxBytes: undefined })
  try {
    // For its owner alone, like the original.
    closeSync(openSync(to, 'wx', 0o600))
    opened.connection.prepare('VACUUM INTO ?').run(to)
  } catch (error) {
    throw storeFailure(error)
  } finally {
    opened.connection.close()
  }
}

/**
 * Writes the file of a stopped server anew: what SQLite may have left of erased records where it moved them about is gone then, and the
 * space is free again. Needs as much space as the file has, twice.
 *
 * @throws StoreError `locked`: the server is not stopped
 */
export function compactSqlite({ path, integrity }: Pick<OpenOptions, 'integrity' | 'path'>): void {
  const { connection, lock } = openDatabase({
    path,
    integrity,
    readOnly: false,
    maxBytes: undefined,
  })
  try {
    connection.exec('VACUUM')
    connection.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  } catch (error) {
    throw storeFailure(error)
  } finally {
    connection.close()
    lock?.release()
  }
}
