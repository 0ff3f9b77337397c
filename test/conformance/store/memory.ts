/** The memory store as a subject: of its own conformance test, and what the mutants are made of. */
import { openMemory } from '../../../adapters/store/memory/index.ts'
import type { Opened, StoreSubject } from './subject.ts'

async function open(): Promise<Opened> {
  let pair = openMemory()
  const close = async (): Promise<void> => {
    await pair.store.close()
    await pair.log.close()
  }
  const opened: Opened = {
    get store() {
      return pair.store
    },
    get log() {
      return pair.log
    },
    async reopen() {
      await close()
      pair = openMemory()
      return opened
    },
    dispose: close,
  }
  return opened
}

export const memorySubject: StoreSubject = { name: 'store/memory', open }
