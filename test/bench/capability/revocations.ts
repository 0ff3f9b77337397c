/** What looking for revocations costs when a million are live, beside none: the reads of one token's facts, guarded as the kernel makes them. */
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { openMemory } from '../../../adapters/store/memory/index.ts'
import { openSqlite } from '../../../adapters/store/sqlite/index.ts'
import type { Store, Write } from '../../../core/ports/store.ts'
import { GuardedReads, RecordCache } from '../../../core/reads.ts'
import { capability } from '../../../plugins/capability/facts.ts'
import { EVERYWHERE, revokedKey } from '../../../plugins/capability/keys.ts'
import { CELL } from '../../tokens.ts'
import type { Side } from './measure.ts'

export type StoreKind = 'memory' | 'sqlite'

const handle = (): string => randomBytes(32).toString('hex')
/** Handles that are looked up; no cache has them all. */
const LOOKED_UP = 50_000
const encoder = new TextEncoder()

/** Entries as a broadcast leaves them, for tokens that nobody presents. */
function entries(count: number): Write[] {
  return Array.from({ length: count }, (): Write => {
    const id = handle()
    const entry = { at: 1_800_000_000, id, kind: 'token', origin: CELL, reach: CELL, sequence: 1 }
    const value = encoder.encode(JSON.stringify({ ...entry, until: 1_800_000_300 }))
    return {
      put: { partition: 'announce', sort: revokedKey('token', CELL, id) },
      value,
      if: 'absent',
    }
  })
}

async function fill(store: Store, count: number): Promise<void> {
  for (let left = count; left > 0; left -= store.maxBatch) {
    const [outcome] = await store.commit([{ writes: entries(Math.min(left, store.maxBatch)) }])
    if (outcome === undefined || 'conflict' in outcome || 'error' in outcome)
      throw new Error('the entries could not be written')
  }
}

/** @param folder empty, for the database */
export async function openStore(kind: StoreKind, folder: string, live: number): Promise<Store> {
  const { store } =
    kind === 'memory' ? openMemory() : await openSqlite({ path: join(folder, `${live}.db`) })
  await fill(store, live)
  return store
}

/**
 * The six lookups of a token without added blocks: itself and its lease, its key and its tenant at its cell and everywhere. None of them finds
 * anything.
 */
export function revocationCheck(store: Store): Side {
  const handles = Array.from({ length: LOOKED_UP }, handle)
  const cache = new RecordCache()
  let i = 0
  return async () => {
    const reads = new GuardedReads(store, capability, cache)
    const keys = [
      revokedKey('token', CELL, handles[i++ % LOOKED_UP] as string),
      revokedKey('lease', CELL, 'lease-1'),
      revokedKey('key', CELL, 'key-1'),
      revokedKey('key', EVERYWHERE, 'key-1'),
      revokedKey('tenant', CELL, 'tenant-1'),
      revokedKey('tenant', EVERYWHERE, 'tenant-1'),
    ]
    for (const key of keys)
      if ((await reads.getFrom('announce', key)) !== undefined) throw new Error('revoked')
  }
}
