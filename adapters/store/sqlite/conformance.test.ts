import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Opened } from '../../../test/conformance/store/subject.ts'
import { storeConformance } from '../../../test/conformance/store.ts'
import { openSqlite } from './index.ts'

async function open(cacheBytes?: number): Promise<Opened> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-sqlite-'))
  const options = {
    path: join(folder, 'assay.db'),
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
  }
  let pair = await openSqlite(options)
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
      pair = await openSqlite({ ...options, integrity: 'full' })
      return opened
    },
    async dispose() {
      await close()
      rmSync(folder, { recursive: true })
    },
  }
  return opened
}

storeConformance({ name: 'store/sqlite', open })
storeConformance({ name: 'store/sqlite without its cache', open: () => open(0) })
