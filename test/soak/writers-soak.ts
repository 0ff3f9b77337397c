/** Many writers of one table, for as long as one likes, on a DynamoDB Local of their own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  installDynamoLocal,
  REGION,
  startDynamoLocal,
  useCredentials,
} from '../backends/dynamodb.ts'
import { stop } from '../backends/shared.ts'
import { manyWriters } from './writers.ts'

const WRITERS = 8

/** Whether the audit found nothing. */
export async function writersSoak({
  seconds,
  seed,
}: {
  readonly seconds: number
  readonly seed: number
}): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), 'assay-writers-'))
  useCredentials()
  const server = await startDynamoLocal(await installDynamoLocal(), { place: folder })
  try {
    const place = { endpoint: server.endpoint, region: REGION, table: 'writers', prefix: 'soak' }
    const keys = join(folder, 'keys')
    console.log(`seed ${seed}: ${WRITERS} writers for ${seconds} seconds`)
    const report = await manyWriters({ keys, place, writers: WRITERS, inFlight: 2, seconds, seed })
    console.log(JSON.stringify(report))
    return report.problems.length === 0
  } finally {
    stop(server)
    rmSync(folder, { recursive: true })
  }
}
