/** A store and its log in one DynamoDB table, for many processes at once: each batch is a transaction, and whoever holds the lease orders what was committed. */
import type { DynamoDB } from '@aws-sdk/client-dynamodb'
import { StoreError } from '../../../core/error.ts'
import type { Clock } from '../../../core/ports/clock.ts'
import type { LogStore } from '../../../core/ports/logstore.ts'
import type { Store } from '../../../core/ports/store.ts'
import { Client, openSdk } from './client.ts'
import type { Place } from './failure.ts'
import { checkLayout } from './layout.ts'
import { DynamoLog } from './log.ts'
import { Mirror, type MirrorOptions } from './mirror.ts'
import { DynamoStore } from './store.ts'
import { NAME, PREFIX } from './table.ts'

export { type InitOptions, initTable } from './init.ts'

export interface DynamoOptions extends Place {
  /** Begins every key, so that several logs can share a table: 1 to 64 characters of `[A-Za-z0-9._-]`. */
  readonly prefix: string
  readonly clock: Clock
  /** Milliseconds for one call, its repetitions included. Default 5,000. */
  readonly timeoutMs?: number
  /** Default false. Readers change nothing, and integrate nothing. */
  readonly readOnly?: boolean
  /** A bucket in which the log is published too, as static files. */
  readonly publish?: MirrorOptions
  /** An SDK client of the caller's own, with its own credentials; it ends with the pair. It must try nothing again by itself: `maxAttempts: 1`. */
  readonly sdk?: DynamoDB
}

/**
 * Opens the pair; each half is closed by itself. Credentials come from the AWS SDK's own chain.
 *
 * @throws StoreError `misconfigured`: no such table there, or not one that `assay store init` made; `denied`; `newer_version`; `unavailable`
 */
export async function openDynamo(options: DynamoOptions): Promise<{ store: Store; log: LogStore }> {
  const { clock, prefix, publish, readOnly = false } = options
  if (!PREFIX.test(prefix))
    throw new StoreError(
      NAME,
      'misconfigured',
      'store.prefix has 1 to 64 letters, digits, . _ or -',
    )
  const sdk = options.sdk ?? (await openSdk(options))
  const client = new Client(sdk, options)
  client.join()
  try {
    await checkLayout(client)
    const pair = { client, clock, prefix, readOnly }
    const mirror = publish && new Mirror(publish, clock, () => sdk.config.credentials())
    return {
      store: new DynamoStore(pair),
      log: new DynamoLog({ ...pair, ...(mirror && { mirror }) }),
    }
  } finally {
    // Store and log hold it now, or nobody does.
    client.leave()
  }
}
