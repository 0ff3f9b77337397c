/** Leases on a whole server in process: one cell whose key is kept here, one tenant, two resources, and a driver that does nothing by itself. */

import { cp, mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Composed, Part } from '../adapters/compose.ts'
import { OWN_POLICIES } from '../adapters/config/complete.ts'
import { openFileCustody } from '../adapters/custody/file/index.ts'
import { openSqlite } from '../adapters/store/sqlite/index.ts'
import { toBase64url } from '../core/crypto.ts'
import type { Json } from '../core/json.ts'
import type { Decision } from '../core/kernel.ts'
import type { Plugin } from '../core/plugin.ts'
import type { LogStore } from '../core/ports/logstore.ts'
import type { Outbound } from '../core/ports/outbound.ts'
import type { Store } from '../core/ports/store.ts'
import { Payload, type Peer } from '../core/request.ts'
import { lease } from '../plugins/lease/facts.ts'
import { Place } from './composed.ts'
import { pairOf } from './tokens.ts'

export const CELL = 'cell-a'
export const TENANT = 'acme'
export const RESOURCES: readonly string[] = ['gpu-0', 'gpu-1']
export const OPERATOR: Peer = { kind: 'operator', id: 'root' }

/** What drivers and peers would be asked for: taken, and nothing comes of it but what a test decides. */
const outbound: Outbound = {
  name: 'test',
  kinds: ['announce.revoke', 'capability.report', 'lease.reset', 'lease.teardown'],
  perform: async () => ({ taken: true }),
}

export class LeasePlace {
  readonly place: Place
  readonly store: Store
  readonly log: LogStore
  readonly server: Composed

  private constructor(place: Place, pair: { store: Store; log: LogStore }, server: Composed) {
    this.place = place
    this.store = pair.store
    this.log = pair.log
    this.server = server
  }

  static async make(more: readonly Plugin[] = []): Promise<LeasePlace> {
    const place = await Place.make()
    await mkdir(place.data, { mode: 0o700 })
    const plugins = [lease as Plugin, ...more]
    for (const name of ['data.json', 'lib', 'main.rego', ...plugins.map(({ name }) => name)])
      await cp(join(OWN_POLICIES, name), join(place.folder, 'policies', name), { recursive: true })
    const pair = await openSqlite({ path: place.database })
    const custody = await openFileCustody({ dir: join(place.data, 'keys') })
    const key = await custody.create('cell', CELL)
    await custody.transition(key, 'active')
    await enrol(pair.store, toBase64url(key.publicKey))
    const parts: readonly Part[] = [
      { port: 'store', open: () => pair },
      { port: 'custody', open: () => custody },
      { port: 'outbound', open: () => [outbound] },
      { port: 'plugins', open: () => plugins.map((plugin) => ({ plugin })) },
    ]
    const server = await place.start('policies: ./policies', { parts })
    const made = new LeasePlace(place, pair, server)
    for (const resource of RESOURCES) await made.ask('lease.add-resource', { cell: CELL, resource })
    return made
  }

  ask(action: string, payload: Json, peer: Peer = OPERATOR): Promise<Decision> {
    return this.server.kernel.decide({ action, payload: Payload.fromJson(payload), peer })
  }

  /** A record of the plugin `lease`. */
  async record(sort: string): Promise<{ readonly [member: string]: Json } | undefined> {
    const row = await this.store.get({ partition: 'lease', sort })
    return row && JSON.parse(new TextDecoder().decode(row.value))
  }

  remove(): Promise<void> {
    return this.place.remove()
  }
}

/** As the plugin `enrolment` would write it. */
async function enrol(store: Store, publicKey: string): Promise<void> {
  const keys = [{ public_key: publicKey, state: 'active', custody: CELL }]
  const records: readonly (readonly [string, Json])[] = [
    [`cell/${CELL}`, { cell: CELL, keys, local: true }],
    [
      `tenant/${TENANT}`,
      {
        tenant: TENANT,
        keys: [{ public_key: pairOf(TENANT).publicKey, state: 'active' }],
        state: 'active',
      },
    ],
  ]
  const writes = records.map(([sort, value]) => ({
    put: { partition: 'enrolment', sort },
    value: new TextEncoder().encode(JSON.stringify(value)),
    if: 'absent' as const,
  }))
  await store.commit([{ writes }])
}
