/** Leases and their tokens in a data folder, with the real plugins around them: enrolment, announcements, tokens. What is sent out is collected. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ManualClock, manualClock } from '../../adapters/clock/manual.ts'
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import { openIdentity } from '../../adapters/datafolder/identity.ts'
import { loadFolder } from '../../adapters/policies/folder.ts'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import type { TrustPathPorts } from '../../adapters/trustpath/decision.ts'
import { toBase64url } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import { createKernel, type Decision, type Kernel } from '../../core/kernel.ts'
import type { TrustAnchor } from '../../core/log/anchor.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Bundle, Sources } from '../../core/ports/compiler.ts'
import type { Custody, KeyScope } from '../../core/ports/custody.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import { Payload, type Peer } from '../../core/request.ts'
import { assemble, type Grant } from '../../formats/cap1/client.ts'
import { announce } from '../../plugins/announce/facts.ts'
import { capability } from '../../plugins/capability/facts.ts'
import { enrolment } from '../../plugins/enrolment/facts.ts'
import { lease } from '../../plugins/lease/facts.ts'
import { testEngine } from '../engine.ts'
import { bundle, compiler } from '../rego.ts'
import { pairOf } from '../tokens.ts'
import { CELL, collector, NOW, OPERATOR } from './kit.ts'

export { CELL, OPERATOR }
export const TENANT = 'acme'
export const RESOURCES: readonly string[] = ['gpu-0', 'gpu-1']
const PROCESS: Peer = { kind: 'embedded', id: 'process' }
const PLUGINS: readonly Plugin[] = [announce, capability, enrolment, lease] as Plugin[]
const KINDS: readonly string[] = [
  'announce.broadcast',
  'announce.revoke',
  'capability.report',
  'lease.reset',
  'lease.teardown',
]

/** The package's policies for these plugins alone. @param more sources in addition */
export async function policies(more: Sources = {}): Promise<Bundle> {
  const names = PLUGINS.map(({ name }) => name)
  const sources = await loadFolder(join(import.meta.dirname, '../../policies'))
  const own = Object.entries(sources).filter(([path]) => {
    const [top = '', ...rest] = path.split('/')
    return rest.length === 0 || [...names, 'lib'].includes(top)
  })
  return bundle(
    { ...Object.fromEntries(own), ...more },
    names.map((name) => `assay/${name}/decision`),
  )
}

export class LeasePlace {
  /** The data folder, as a server would keep it. */
  readonly data: string
  readonly clock: ManualClock
  readonly store: Store
  readonly log: LogStore
  readonly kernel: Kernel
  readonly anchor: TrustAnchor

  private constructor(
    made: Pick<LeasePlace, 'anchor' | 'clock' | 'data' | 'kernel' | 'log' | 'store'>,
  ) {
    this.data = made.data
    this.clock = made.clock
    this.store = made.store
    this.log = made.log
    this.kernel = made.kernel
    this.anchor = made.anchor
  }

  static async make(): Promise<LeasePlace> {
    const data = await mkdtemp(join(tmpdir(), 'assay-leases-'))
    const { log, store } = await openSqlite({ path: join(data, 'assay.db') })
    const custody = await openFileCustody({ dir: join(data, 'keys') })
    const cell = await activeKey(custody, 'cell', CELL)
    const controller = await activeKey(custody, 'controller', 'controller')
    const { durable } = store
    const origin = 'assay.test/leases'
    const identity = await openIdentity({ dataFolder: data, origin, custody, log, durable })
    const clock = manualClock(NOW * 1000)
    const kernel = await createKernel({
      origin,
      store,
      log,
      custody,
      logKey: identity.key.name,
      engine: testEngine(),
      clock,
      plugins: PLUGINS,
      outbound: [collector(KINDS)],
      development: true,
    })
    await kernel.activate(await policies())
    const made = new LeasePlace({ anchor: identity.anchor, clock, data, kernel, log, store })
    await made.enrol(cell, controller)
    for (const resource of RESOURCES) await made.ask('lease.add-resource', { cell: CELL, resource })
    return made
  }

  ask(action: string, payload: Json, peer: Peer = OPERATOR): Promise<Decision> {
    return this.kernel.decide({ action, payload: Payload.fromJson(payload), peer })
  }

  /** As the process itself does at its first start. */
  async enrol(cell: string, controller: string): Promise<void> {
    const bound = { cell: CELL, custody: CELL, public_key: cell }
    const pinned = { custody: 'controller', public_key: controller }
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

  /** What walks from this place's anchor. */
  get trustPath(): TrustPathPorts {
    const { anchor, clock, kernel, log, store } = this
    return {
      store,
      log,
      compiler,
      anchor,
      anchorName: 'trust.json',
      now: Math.floor(clock.now() / 1000),
      receipt: (id) => kernel.receipt(id),
    }
  }

  async remove(): Promise<void> {
    await this.kernel.close()
    await rm(this.data, { recursive: true, force: true })
  }
}

/** The public half. */
async function activeKey(custody: Custody, scope: KeyScope, name: string): Promise<string> {
  const key = await custody.create(scope, name)
  await custody.transition(key, 'active')
  return toBase64url(key.publicKey)
}
