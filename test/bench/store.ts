/**
 * What the SQLite store alone can do: `node test/bench/store.ts [decisions]`. One decision is three reads and three checks of 1,000
 * shared records, two new records (1,800 and 120 bytes) and a leaf of 700. CPU time is the number to compare: it does not depend on what
 * else the machine does.
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import type { Batch, Store, Write } from '../../core/ports/store.ts'

const decisions = Number(process.argv[2] ?? 60_000)
const SHARED = 1000
const openings = randomBytes(1800)
const idempotency = randomBytes(120)
const leaf = randomBytes(700)
const shared = (n: number): { partition: string; sort: string } => ({
  partition: 'access',
  sort: `record ${n % SHARED}`,
})

async function batchOf(store: Store, n: number): Promise<Batch> {
  const writes: Write[] = []
  for (let i = 0; i < 3; i++) {
    const key = shared(n * 7 + i * 331)
    const stored = await store.get(key)
    writes.push({ check: key, if: stored?.version ?? 'absent' })
  }
  const id = randomBytes(16).toString('hex')
  writes.push({ put: { partition: '#decision', sort: id }, value: openings, if: 'absent' })
  writes.push({ put: { partition: '#idempotency', sort: id }, value: idempotency, if: 'absent' })
  leaf.writeUInt32BE(n)
  return { writes, leaf: Uint8Array.from(leaf) }
}

async function measure(group: number, cacheBytes: number | undefined): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-bench-'))
  const path = join(folder, 'assay.db')
  const { store, log } = await openSqlite({
    path,
    ...(cacheBytes === undefined ? {} : { cacheBytes }),
  })
  const value = randomBytes(300)
  const seeds = Array.from(
    { length: SHARED },
    (_, n): Write => ({ put: shared(n), value, if: 'absent' }),
  )
  await store.commit([{ writes: seeds }])
  const count = group === 1 ? Math.ceil(decisions / 10) : decisions
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  for (let n = 0; n < count; n += group) {
    const batches: Batch[] = []
    for (let i = 0; i < group; i++) batches.push(await batchOf(store, n + i))
    const outcomes = await store.commit(batches)
    if (outcomes.some((outcome) => !('index' in outcome))) throw new Error('a batch did not commit')
  }
  const { user, system } = process.cpuUsage(cpu)
  const seconds = (performance.now() - start) / 1000
  await store.close()
  await log.close()
  rmSync(folder, { recursive: true })
  const done = Math.ceil(count / group) * group
  const columns = [
    Math.round(done / seconds),
    Math.round((3 * done) / seconds),
    ((user + system) / done).toFixed(1),
  ]
  return columns.map((column) => String(column).padStart(12)).join('')
}

console.log('group  cache  decisions/s      rows/s  CPU us each')
for (const group of [1, 16, 256])
  for (const cacheBytes of [undefined, 0])
    console.log(
      `${String(group).padStart(5)}  ${cacheBytes === 0 ? ' none' : '  yes'}${await measure(group, cacheBytes)}`,
    )
