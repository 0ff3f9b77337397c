/** What is done to the log of a stopped server. Composed like a server, up to its log. */
import { type Head, Sealer } from '../core/seal.ts'
import { type AdapterOptions, Adapters, openLog, SEAL_TIMEOUT_MS } from './compose.ts'
import type { Config } from './config/complete.ts'
import { type Rotation, type RotationOptions, rotateKey } from './datafolder/rotate.ts'

export type { Rotation }

/**
 * Signs and publishes a head over all that the log holds, as the server itself would at its next start.
 *
 * @throws StoreError `locked`: it is not stopped
 */
export async function sealLog(config: Config): Promise<Head | undefined> {
  return withLog(new Adapters(config), async ({ clock, custody, identity, log }) => {
    const { origin, key } = identity
    const timeoutMs = SEAL_TIMEOUT_MS
    const sealer = await Sealer.open({ origin, log, custody, key, timeoutMs, clock })
    await sealer.close()
    return sealer.head
  })
}

/**
 * Replaces the key that signs the log's heads. Old receipts stay valid under the anchor that it writes.
 *
 * @throws StoreError `locked`: the server is not stopped; what {@link rotateKey} throws
 */
export async function rotateLogKey(
  config: Config,
  { parts = [], ...options }: RotationOptions & Pick<AdapterOptions, 'parts'> = {},
): Promise<Rotation> {
  return withLog(new Adapters(config, { parts }), async ({ identity, ...ports }) =>
    rotateKey(
      { ...ports, dataFolder: config.data, sealTimeoutMs: SEAL_TIMEOUT_MS },
      identity,
      options,
    ),
  )
}

type Opened = Awaited<ReturnType<typeof openLog>>

async function withLog<T>(adapters: Adapters, work: (opened: Opened) => Promise<T>): Promise<T> {
  try {
    return await work(await openLog(adapters))
  } finally {
    await adapters.close()
  }
}
