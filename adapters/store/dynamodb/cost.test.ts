/** What a decision costs, counted call by call: the table in README.md has these rows. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { PARTITION } from '../../../core/decision.ts'
import type { Batch, LogStore, Store, Write } from '../../../core/ports/index.ts'
import { type Call, recording } from '../../../test/backends/dynamodb-calls.ts'
import { bytes } from '../../../test/conformance/bytes.ts'
import { dynamoPlaces } from '../../../test/conformance/store/dynamodb.ts'
import { integrated, key, put, versionOf, write } from '../../../test/conformance/store/subject.ts'
import { openDynamo } from './index.ts'

/** About what a decision of the plugin `access` has: its openings, and its leaf. */
const OPENINGS_BYTES = 2000
const LEAF_BYTES = 700

const places = dynamoPlaces('cost')
const READS: ReadonlySet<string> = new Set(['BatchGetItem', 'GetItem', 'Query'])

interface Counting {
  readonly store: Store
  readonly log: LogStore
  /** Units that were used meanwhile: to write and to read. */
  used(run: () => Promise<unknown>): Promise<readonly [writes: number, reads: number]>
}

async function counting(run: (opened: Counting) => Promise<void>): Promise<void> {
  const place = await places()
  let calls: Call[] = []
  const pair = await openDynamo({
    ...place,
    sdk: await recording(place, (call) => calls.push(call)),
  })
  const sum = (some: readonly Call[]): number => some.reduce((all, { units }) => all + units, 0)
  await run({
    ...pair,
    async used(measured) {
      calls = []
      await measured()
      const reads = calls.filter(({ operation }) => READS.has(operation))
      return [sum(calls) - sum(reads), sum(reads)]
    },
  })
  await pair.store.close()
  await pair.log.close()
}

let count = 0
function decision(...more: readonly Write[]): Batch {
  const sort = `01a200863c4e${String(count++).padStart(20, '0')}`
  const row: Write = {
    put: { partition: PARTITION.decision, sort },
    value: new Uint8Array(OPENINGS_BYTES),
    if: 'absent',
  }
  return { writes: [row, ...more], leaf: bytes(sort.padEnd(LEAF_BYTES, '.')) }
}

interface Row {
  readonly what: string
  readonly writes: number
  readonly reads: number
}
const rowOf = (what: string, [writes, reads]: readonly [number, number], per = 1): Row => ({
  what,
  writes: writes / per,
  reads: reads / per,
})

/** The row of the README's table that begins so. */
function documented(what: string): Row {
  const readme = readFileSync(join(import.meta.dirname, 'README.md'), 'utf8')
  const row = readme.split('\n').find((line) => line.startsWith(`| ${what} |`))
  if (row === undefined) throw new Error(`README.md has no row "${what}"`)
  const [writes = 0, reads = 0] = row.split('|').slice(2, 4).map(Number)
  return { what, writes, reads }
}

/** A page more or less of what waits is read by chance. */
const near = (said: number, found: number): boolean => Math.abs(said - found) <= 0.3 + found / 5

test('a decision costs what the README says', { timeout: 60_000 }, async () => {
  const rows: Row[] = []
  await counting(async ({ log, store, used }) => {
    await write(store, put('guard', '1'))
    const alone = await used(() => store.commit([decision()]))
    rows.push(rowOf('a decision: its record of 2,000 bytes and its leaf of 700', alone))
    const more = await used(() => store.commit([decision(put('a', 'x'), put('b', 'x'))]))
    const each = [(more[0] - alone[0]) / 2, (more[1] - alone[1]) / 2] as const
    rows.push(rowOf('each record of up to 1 KB that it writes', each))
    const version = await versionOf(store, 'guard')
    const guarded = await used(async () => {
      await store.get(key('guard'))
      await store.commit([decision({ check: key('guard'), if: version })])
    })
    const check = [guarded[0] - alone[0], guarded[1] - alone[1]] as const
    rows.push(rowOf('each guarded read of up to 1 KB: read, and checked at the commit', check))
    await integrated(log)
    let size = await log.size()
    for (const leaves of [64, 16, 1]) {
      await store.commit(Array.from({ length: leaves }, () => decision()))
      const cost = await used(async () => {
        await integrated(log)
        size += BigInt(leaves)
        const checkpoint = { size, root: new Uint8Array(32), note: new Uint8Array(300) }
        await log.publish({ tiles: [], checkpoint })
      })
      rows.push(rowOf(`its place in the log, ${leaves} at a time`, cost, leaves))
    }
  })
  for (const { what, reads, writes } of rows) {
    const said = documented(what)
    const where = `${what}: ${writes} and ${reads}`
    expect(near(said.writes, writes) && near(said.reads, reads), where).toBe(true)
  }
})
