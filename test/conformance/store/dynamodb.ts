/** The DynamoDB store as a subject: AWS's own emulator, one table for all, a prefix for each. */
import { expect } from 'vitest'
import { systemClock } from '../../../adapters/clock/system.ts'
import policy from '../../../adapters/store/dynamodb/iam-policy.json' with { type: 'json' }
import {
  type DynamoOptions,
  initTable,
  openDynamo,
} from '../../../adapters/store/dynamodb/index.ts'
import { dynamodb, REGION } from '../../backends/dynamodb.ts'
import { type Call, recording } from '../../backends/dynamodb-calls.ts'
import type { Opened, StoreSubject } from './subject.ts'

/** The table of a test file, made once. Each call names a prefix that nobody had. */
export function dynamoPlaces(table: string): (endpoint?: string) => Promise<DynamoOptions> {
  let made: Promise<unknown> | undefined
  let count = 0
  return async (endpoint) => {
    const own = (await dynamodb()).endpoint
    const place = { table, region: REGION, endpoint: own, clock: systemClock }
    made ??= initTable(place)
    await made
    return { ...place, endpoint: endpoint ?? own, prefix: `${process.pid}-${count++}` }
  }
}

const places = dynamoPlaces('conformance')
const allowed: ReadonlySet<string> = new Set(
  policy.Statement.flatMap(({ Action }) => Action.map((action) => action.replace('dynamodb:', ''))),
)
/** What a law made the store ask for without a permission: the server that runs here would not mind. */
const forbidden = new Set<string>()
function look({ actions }: Call): void {
  for (const action of actions) if (!allowed.has(action)) forbidden.add(action)
}

async function open(): Promise<Opened> {
  const place = await places()
  const openPair = async () => openDynamo({ ...place, sdk: await recording(place, look) })
  let pair = await openPair()
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
      pair = await openPair()
      return opened
    },
    // Nothing comes after it in its prefix, and the server ends with the run.
    async dispose() {
      await close()
      expect([...forbidden]).toEqual([])
    },
  }
  return opened
}

export const dynamoSubject: StoreSubject = { name: 'store/dynamodb', backend: 'emulator', open }
