/** One change at a time to a folder of keys, over all processes: an exclusive SQLite lock, which dies with its process. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { guarded } from './failure.ts'

/**
 * Runs `change` alone. It must not wait for anything: whoever waits for the lock, at most `waitMs`, blocks its process.
 * @throws CustodyError `unavailable`
 */
export function exclusively<T>(folder: string, waitMs: number, change: () => T): T {
  const path = join(folder, '.lock')
  const lock = guarded(path, () => {
    const file = new DatabaseSync(path, { timeout: waitMs })
    try {
      // The write shows that this is no mere read lock; nothing of it is ever committed.
      file.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE; PRAGMA user_version = 1')
      return file
    } catch (error) {
      file.close()
      throw error
    }
  })
  try {
    return change()
  } finally {
    lock.close()
  }
}
