/** The DynamoDB store as a subject: AWS's own emulator, one table for all, a prefix for each. */
import { systemClock } from '../../../adapters/clock/system.ts'
import {
  type DynamoOptions,
  initTable,
  openDynamo,
} from '../../../adapters/store/dynamodb/index.ts'
import { dynamodb, REGION } from '../../backends/dynamodb.ts'
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

async function open(): Promise<Opened> {
  const place = await places()
  let pair = await openDynamo(place)
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
      pair = await openDynamo(place)
      return opened
    },
    // Nothing comes after it in its prefix, and the server ends with the run.
    dispose: close,
  }
  return opened
}

export const dynamoSubject: StoreSubject = { name: 'store/dynamodb', backend: 'emulator', open }
