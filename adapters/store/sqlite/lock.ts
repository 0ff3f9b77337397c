/** One writer a database: an exclusive SQLite lock on a file beside it, which the operating system drops when the process dies. */
import { accessSync, constants, existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { StoreError } from '../../../core/error.ts'
import { isBusy, NAME, storeFailure } from './failure.ts'

export interface WriterLock {
  release(): void
}

/** Kept from the garbage collector, which would close them: a lock ends by {@link WriterLock.release} or with the process. */
const held = new Set<DatabaseSync>()

/**
 * Takes the lock of the database at `path`, an absolute path without links, or fails at once. The file stays: removing it would let two
 * writers hold two different files.
 *
 * @throws StoreError `locked`: another writer has it, in this process or elsewhere; `read_only`, `full`, `unavailable`
 */
export function lockForWriting(path: string): WriterLock {
  const at = `${path}.lock`
  let lock: DatabaseSync | undefined
  try {
    accessSync(existsSync(at) ? at : dirname(at), constants.W_OK)
    lock = new DatabaseSync(at, { timeout: 0 })
    // Without a journal file: nothing of this is ever committed. The write shows that the lock is not a mere read lock.
    lock.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE; PRAGMA user_version = 1')
  } catch (error) {
    lock?.close()
    if (!isBusy(error)) throw storeFailure(error)
    const what = `${path} has a writer already; stop it, or open the database to read only`
    throw new StoreError(NAME, 'locked', what)
  }
  return hold(lock)
}

function hold(lock: DatabaseSync): WriterLock {
  held.add(lock)
  return {
    release() {
      held.delete(lock)
      lock.close()
    },
  }
}
