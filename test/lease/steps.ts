/** The same life of one lease in every process: what a child is killed in, and what the process after it takes up again. */
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import { createDrivers } from '../../adapters/outbound/driver/index.ts'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import type { Json } from '../../core/json.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import type { Custody } from '../../core/ports/custody.ts'
import type { Outbound } from '../../core/ports/outbound.ts'
import type { Store } from '../../core/ports/store.ts'
import { CELL, collector, type Leasing, lateKernel, leasing, publicKey, TENANT } from './kit.ts'

export const GPU = 'gpu-0'

export interface Process {
  readonly folder: string
  /** Of the driver. */
  readonly url: string
  readonly bundle: Bundle
  readonly clock: Clock
  /** Called before and after everything that leaves a trace. */
  readonly point?: () => void
}

/** Makes the keys that the processes share. */
export async function makeKeys(folder: string): Promise<void> {
  const custody = await openFileCustody({ dir: `${folder}/keys` })
  for (const scope of ['log', 'cell'] as const)
    await custody.transition(await custody.create(scope, scope), 'active')
  await custody.close()
}

export async function openProcess(options: Process): Promise<Leasing<Clock>> {
  const { bundle, clock, folder, point = () => undefined, url } = options
  const late = lateKernel()
  const pair = await openSqlite({ path: `${folder}/assay.db` })
  const custody: Custody = await openFileCustody({ dir: `${folder}/keys` })
  const drivers = createDrivers({ drivers: { [CELL]: { url } }, kernel: late })
  const outbound = [drivers, collector(['announce.revoke'])].map((one) => pointed(one, point))
  const place = await leasing({
    pair: { store: pointedStore(pair.store, point), log: pair.log },
    custody,
    outbound,
    bundle,
    clock,
  })
  late.use(place.kernel)
  return place
}

function pointedStore(store: Store, point: () => void): Store {
  return new Proxy(store, {
    get(of, name) {
      const member = Reflect.get(of, name, of) as unknown
      if (typeof member !== 'function') return member
      if (name !== 'commit') return member.bind(of)
      return async (...batches: Parameters<Store['commit']>) => {
        point()
        const outcomes = await of.commit(...batches)
        point()
        return outcomes
      }
    },
  })
}

function pointed(outbound: Outbound, point: () => void): Outbound {
  return {
    ...outbound,
    async perform(action, signal) {
      point()
      const outcome = await outbound.perform(action, signal)
      point()
      return outcome
    },
  }
}

/** From the first request to the last; `told` hears of each decision that was answered. */
export async function live(place: Leasing<Clock>, told: (id: string) => void): Promise<void> {
  const ask = async (action: string, payload: Json): Promise<string> => {
    const { id } = await place.decide(action, payload)
    told(id)
    return id
  }
  await ask('lease.add-resource', { cell: CELL, resource: GPU })
  const nk = publicKey()
  const lease = await ask('lease.grant', {
    cell: CELL,
    nk,
    resource: GPU,
    tenant: TENANT,
    ttl: 300,
  })
  await ask('lease.renew', { generation: 1, lease, nk, ttl: 300 })
  await ask('lease.free', { lease })
}

/** Until no entry of the outbox is left. @throws after half a minute */
export async function settled(place: Leasing<Clock>): Promise<void> {
  for (let i = 0; i < 3000; i++) {
    if ((await waiting(place.store)) === 0) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error('the outbox is not empty')
}

async function waiting(store: Store): Promise<number> {
  let count = 0
  for await (const _ of store.list('#outbox', '')) count++
  return count
}
