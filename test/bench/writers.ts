/** Decisions a second and how long they take, by the number of processes that write one table and of decisions that each has under way. */
import { join } from 'node:path'
import {
  installDynamoLocal,
  REGION,
  startDynamoLocal,
  useCredentials,
} from '../backends/dynamodb.ts'
import { stop } from '../backends/shared.ts'
import { type Latency, manyWriters } from '../soak/writers.ts'

const WRITERS = [1, 2, 4, 8]
const IN_FLIGHT = [1, 16, 64]

export interface MeasureWriters {
  readonly seconds: number
  readonly folder: string
}

/** A Markdown table. Every tenth decision waits for its seal. @throws when an audit finds something */
export async function measureWriters({ folder, seconds }: MeasureWriters): Promise<string> {
  useCredentials()
  const server = await startDynamoLocal(await installDynamoLocal(), { place: folder })
  const rows = [
    '| writers | in flight each | decisions/s | durable, p50 / p99 ms | sealed, p50 / p99 ms |',
    '| --- | --- | --- | --- | --- |',
  ]
  try {
    for (const writers of WRITERS)
      for (const inFlight of IN_FLIGHT) {
        const name = `w${writers}-${inFlight}`
        const place = { ...server, region: REGION, table: 'writers', prefix: name }
        const load = { writers, inFlight, seconds, place, keys: join(folder, name), sealed: 10 }
        const report = await manyWriters({ ...load, harm: 'none', seed: 1 })
        if (report.problems.length > 0) throw new Error(report.problems.join('; '))
        const { durable, perSecond, waited } = report
        rows.push(`| ${writers} | ${inFlight} | ${perSecond} | ${of(durable)} | ${of(waited)} |`)
        console.error(`bench: ${rows.at(-1)}`)
      }
  } finally {
    stop(server)
  }
  return rows.join('\n')
}

const of = ({ p50Ms, p99Ms }: Latency): string => `${Math.round(p50Ms)} / ${Math.round(p99Ms)}`
