/** Writes to the database in its argument until it fails, then tries for a while longer. Prints how many commits there were of each. */

import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import { StoreError } from '../../core/error.ts'

const { store, log } = await openSqlite({ path: process.argv[2] as string })
const value = new Uint8Array(900_000)
const codes: Record<string, number> = {}
for (let i = 0; i < 60; i++) {
  const put = { partition: 'p', sort: `k${i}` }
  try {
    await store.commit([{ writes: [{ put, value, if: 'absent' }] }])
    codes.written = (codes.written ?? 0) + 1
  } catch (error) {
    const code = error instanceof StoreError ? error.code : 'another error'
    codes[code] = (codes[code] ?? 0) + 1
  }
}
await store.close()
await log.close()
process.stdout.write(JSON.stringify(codes))
