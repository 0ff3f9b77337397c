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
import type { Custody, KeyScope } from '../core/ports/custody.ts'
import type { LogStore } from '../core/ports/logstore.ts'
import type { Outbound } from '../core/ports/outbound.ts'
import type { Store } from '../core/ports/store.ts'
import { Payload, type Peer } from '../core/request.ts'
import { assemble, type Grant } from '../formats/cap1/client.ts'
import { announce } from '../plugins/announce/facts.ts'
import { capability } from '../plugins/capability/facts.ts'
import { enrolment } from '../plugins/enrolment/facts.ts'
import { lease } from '../plugins/lease/facts.ts'
import { Place } from './composed.ts'
import { pairOf } from './tokens.ts'

export const CELL = 'cell-a'
export const TENANT = 'acme'
export const RESOURCES: readonly string[] = ['gpu-0', 'gpu-1']
export const OPERATOR: Peer = { kind: 'operator', id: 'root' }
const PROCESS: Peer = { kind: 'embedded', id: 'process' }
const PLUGINS: readonly Plugin[] = [announce, capability, enrolment, lease] as Plugin[]

/** What drivers and peers would be asked for: taken, and nothing comes of it but what a test decides. */
const outbound: Outbound = {
  name: 'test',
  kinds: [
    'announce.broadcast',
    'announce.revoke',
    'capability.report',
    'lease.reset',
    'lease.teardown',
  ],
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

  static async make(): Promise<LeasePlace> {
    const place = await Place.make()
    await mkdir(place.data, { mode: 0o700 })
    for (const name of ['data.json', 'lib', 'main.rego', ...PLUGINS.map(({ name }) => name)])
      await cp(join(OWN_POLICIES, name), join(place.folder, 'policies', name), { recursive: true })
    const pair = await openSqlite({ path: place.database })
    const custody = await openFileCustody({ dir: join(place.data, 'keys') })
    const cell = await activeKey(custody, 'cell', CELL)
    const controller = await activeKey(custody, 'controller', 'controller')
    const parts: readonly Part[] = [
      { port: 'store', open: () => pair },
      { port: 'custody', open: () => custody },
      { port: 'outbound', open: () => [outbound] },
      { port: 'plugins', open: () => PLUGINS.map((plugin) => ({ plugin })) },
    ]
    const server = await place.start('policies: ./policies', { parts })
    const made = new LeasePlace(place, pair, server)
    await made.enrol(cell, controller)
    for (const resource of RESOURCES) await made.ask('lease.add-resource', { cell: CELL, resource })
    return made
  }

  ask(action: string, payload: Json, peer: Peer = OPERATOR): Promise<Decision> {
    return this.server.kernel.decide({ action, payload: Payload.fromJson(payload), peer })
  }

  /** As the process itself does at its first start. */
  async enrol(cell: string, controller: string): Promise<void> {
    const bound = { cell: CELL, custody: CELL, public_key: cell }
    const pinned = { custody: 'controller', how: 'pinned', public_key: controller }
    const verification = { by: 'root', reference: 'desk 7' }
    const tenant = { public_key: pairOf(TENANT).publicKey, tenant: TENANT, verification }
    for (const [action, payload] of [
      ['enrolment.bind-cell', bound],
      ['enrolment.pin-controller', pinned],
      ['enrolment.register-tenant', tenant],
    ] as const)
      if (!(await this.ask(action, payload, PROCESS)).allow) throw new Error(`${action} was denied`)
  }

  /** A lease, and the token of it that its holder has. */
  async lease(resource: string): Promise<{ readonly lease: string; readonly token: string }> {
    const { privateKey, publicKey: nk } = pairOf('holder')
    const asked = { cell: CELL, nk, resource, tenant: TENANT, ttl: 100 }
    const { id, output } = await this.ask('lease.grant', asked)
    const token = assemble(output as unknown as Grant, { privateKey, publicKey: nk })
    return { lease: id, token }
  }

  /** Presents a token to {@link CELL}. */
  use(token: string, resource: string, op = 'read'): Promise<Decision> {
    return this.ask('capability.use', { at: CELL, operation: { op, resource }, token })
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

/** The public half. */
async function activeKey(custody: Custody, scope: KeyScope, name: string): Promise<string> {
  const key = await custody.create(scope, name)
  await custody.transition(key, 'active')
  return toBase64url(key.publicKey)
}
