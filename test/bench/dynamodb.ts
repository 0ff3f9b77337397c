/**
 * What the DynamoDB store alone can do, on DynamoDB Local. One decision is three reads and three checks of 1,000 shared records, two new records (1,800
 * and 120 bytes) and a leaf of 700. The server runs on this machine too and does most of the work: AWS's own has other limits.
 */
import { randomBytes } from 'node:crypto'
import { systemClock } from '../../adapters/clock/system.ts'
import { initTable, openDynamo } from '../../adapters/store/dynamodb/index.ts'
import type { Batch, Outcome, Store, Write } from '../../core/ports/store.ts'
import {
  installDynamoLocal,
  REGION,
  startDynamoLocal,
  useCredentials,
} from '../backends/dynamodb.ts'
import { stop } from '../backends/shared.ts'
import { type Round, summarize } from './stats.ts'

const IN_FLIGHT = [1, 16, 64]
const SHARED = 1000
const WARM_MS = 3000
const openings = randomBytes(1800)
const idempotency = randomBytes(120)
const leafRest = randomBytes(684)

export interface MeasureDynamo {
  readonly rounds: number
  readonly seconds: number
  /** Holds the server's log. */
  readonly folder: string
}

/** A Markdown table: medians over rounds. */
export async function measureDynamo({ folder, rounds, seconds }: MeasureDynamo): Promise<string> {
  useCredentials()
  const server = await startDynamoLocal(await installDynamoLocal(), { place: folder })
  const place = { ...server, table: 'bench', region: REGION, clock: systemClock }
  try {
    await initTable(place)
    const { log, store } = await openDynamo({ ...place, prefix: 'bench' })
    await seed(store)
    const lines = [
      '| in flight | decisions/s | p50 ms | p99 ms | own CPU a decision, µs |',
      '| --- | --- | --- | --- | --- |',
    ]
    for (const inFlight of IN_FLIGHT) {
      await run(store, inFlight, WARM_MS)
      const measured: Round[] = []
      for (let i = 0; i < rounds; i++) measured.push(await run(store, inFlight, seconds * 1000))
      lines.push(lineOf(inFlight, measured))
      console.error(`bench: ${lines.at(-1)}`)
    }
    await store.close()
    await log.close()
    return lines.join('\n')
  } finally {
    stop(server)
  }
}

function lineOf(inFlight: number, rounds: readonly Round[]): string {
  const { cpuMicros, p50Ms = 0, p99Ms = 0, perSecond } = summarize(rounds)
  const cells = [inFlight, Math.round(perSecond), p50Ms.toFixed(1), p99Ms.toFixed(1)]
  return `| ${[...cells, Math.round(cpuMicros)].join(' | ')} |`
}

const sharedKey = (n: number): { partition: string; sort: string } => ({
  partition: 'access',
  sort: `record ${n % SHARED}`,
})

async function seed(store: Store): Promise<void> {
  const value = randomBytes(300)
  for (let at = 0; at < SHARED; at += 50) {
    const writes = Array.from(
      { length: 50 },
      (_, i): Write => ({ put: sharedKey(at + i), value, if: 'absent' }),
    )
    await store.commit([{ writes }])
  }
}

/** So many callers, each with one decision after the other. */
async function run(store: Store, inFlight: number, ms: number): Promise<Round> {
  const latenciesMs: number[] = []
  const [start, cpu] = [performance.now(), process.cpuUsage()]
  const caller = async (seed: number): Promise<void> => {
    for (let n = seed; performance.now() - start < ms; n += inFlight) {
      const began = performance.now()
      const [outcome] = await store.commit([await batchOf(store, n)])
      if (!isCommitted(outcome)) throw new Error('a batch did not commit')
      latenciesMs.push(performance.now() - began)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, (_, i) => caller(i)))
  const { system, user } = process.cpuUsage(cpu)
  const wallMs = performance.now() - start
  return { decisions: latenciesMs.length, wallMs, cpuMicros: user + system, latenciesMs }
}

const isCommitted = (outcome: Outcome | undefined): boolean =>
  outcome !== undefined && !('conflict' in outcome) && !('error' in outcome)

async function batchOf(store: Store, n: number): Promise<Batch> {
  const reads = await Promise.all([0, 1, 2].map((i) => store.get(sharedKey(n * 7 + i * 331))))
  const writes = reads.map((stored): Write => ({ check: stored!.key, if: stored!.version }))
  const id = Date.now().toString(16).padStart(12, '0') + randomBytes(10).toString('hex')
  writes.push({ put: { partition: '#decision', sort: id }, value: openings, if: 'absent' })
  writes.push({ put: { partition: '#idempotency', sort: id }, value: idempotency, if: 'absent' })
  return { writes, leaf: Buffer.concat([randomBytes(16), leafRest]) }
}
