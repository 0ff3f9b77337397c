/** A store and its log in memory, gone with the process: for tests and for trying things out. No audit log belongs on it. */
import type { LogStore } from '../../../core/ports/logstore.ts'
import type { Store } from '../../../core/ports/store.ts'
import { MemoryLog } from './log.ts'
import { MemoryStore } from './store.ts'

/** Opens an empty pair; each half is closed by itself. */
export function openMemory(): { store: Store; log: LogStore } {
  const log = new MemoryLog()
  return { store: new MemoryStore((leaf) => log.append(leaf)), log }
}
