/** A kernel with the plugin `lease` and its policies, two cells and two tenants; teardowns wait until a test reports how they went. */
import { generateKeyPairSync } from 'node:crypto'
import { join } from 'node:path'
import { type ManualClock, manualClock } from '../../adapters/clock/manual.ts'
import { loadFolder } from '../../adapters/policies/folder.ts'
import { openMemory } from '../../adapters/store/memory/index.ts'
import { toBase64url } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import { createKernel, type Decision, type Kernel } from '../../core/kernel.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Clock } from '../../core/ports/clock.ts'
import type { Bundle } from '../../core/ports/compiler.ts'
import type { Custody } from '../../core/ports/custody.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Outbound, OutboundAction } from '../../core/ports/outbound.ts'
import type { Store } from '../../core/ports/store.ts'
import { Payload, type Peer } from '../../core/request.ts'
import { lease } from '../../plugins/lease/facts.ts'
import type { LeaseRecord, ResourceRecord } from '../../plugins/lease/records.ts'
import { testEngine } from '../engine.ts'
import { testCustody } from '../kernel/custody.ts'
import { compiler } from '../rego.ts'

export const ORIGIN = 'assay.test/leases'
export const NOW = 1_790_000_000
export const CELL = 'cell-a'
export const TENANT = 'demo'
export const OPERATOR: Peer = { kind: 'operator', id: 'root' }
export const ANYONE: Peer = { kind: 'anonymous', id: 'anonymous' }

/** A public key whose private half nobody needs. */
export const publicKey = (): string =>
  generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x as string

let built: Promise<Bundle> | undefined

/** The package's policies, with nothing of other plugins. */
export async function leaseBundle(): Promise<Bundle> {
  const sources = await loadFolder(join(import.meta.dirname, '../../policies'))
  const own = Object.entries(sources).filter(([path]) => /^(?:[^/]+$|lib\/|lease\/)/.test(path))
  built ??= compiler.build(Object.fromEntries(own), {
    capabilities: 'trust',
    entrypoints: ['assay/lease/decision'],
  })
  return built
}

/** Collects what the outbox delivers. Whoever performs says how it went by a decision of its own, as a driver does. */
export function collector(
  kinds: readonly string[] = ['announce.revoke', 'lease.reset', 'lease.teardown'],
): Outbound & { readonly actions: OutboundAction[] } {
  const actions: OutboundAction[] = []
  return {
    name: 'outbound/collector',
    kinds,
    actions,
    async perform(action) {
      actions.push(action)
      return { collected: true }
    },
  }
}

/** A kernel for what it is made with: calls go to whichever is {@link LateKernel.use | put in use} by then. */
export interface LateKernel extends Pick<Kernel, 'check' | 'decide'> {
  use(kernel: Kernel): void
}
export function lateKernel(): LateKernel {
  const opened = Promise.withResolvers<Kernel>()
  return {
    use: (kernel) => opened.resolve(kernel),
    check: async (...asked) => (await opened.promise).check(...asked),
    decide: async (...asked) => (await opened.promise).decide(...asked),
  }
}

/** What the plugins `enrolment` and `announce` would have written. */
export type Seed = Readonly<Record<string, Json>>

export interface Leasing<C extends Clock = ManualClock> {
  readonly kernel: Kernel
  readonly clock: C
  readonly store: Store
  readonly log: LogStore
  /** Unix seconds. */
  now(): number
  /** As an operator, unless another peer asks. */
  decide(action: string, payload: Json, peer?: Peer): Promise<Decision>
  resource(name: string): Promise<ResourceRecord | undefined>
  lease(id: string): Promise<LeaseRecord | undefined>
  /** Writes a record of another plugin. */
  put(partition: string, sort: string, value: Json): Promise<void>
}

export interface LeasingOptions<C extends Clock = ManualClock> {
  readonly pair?: { readonly store: Store; readonly log: LogStore }
  readonly custody?: Custody
  readonly outbound?: readonly Outbound[]
  /** Keys are `<partition>/<sort>`. */
  readonly seed?: Seed
  /** Default: one that stands at {@link NOW}. */
  readonly clock?: C
  readonly bundle?: Bundle
  readonly logKey?: string
}

/** @returns a kernel in which `cell-a` issues and `cell-far` is another kernel's; what is seeded again is left as it is */
export async function leasing<C extends Clock = ManualClock>(
  options: LeasingOptions<C> = {},
): Promise<Leasing<C>> {
  const { store, log } = options.pair ?? openMemory()
  const custody = options.custody ?? (await testCustody())
  const clock = options.clock ?? (manualClock(NOW * 1000) as Clock as C)
  const seed = { ...(await enrolled(custody)), ...options.seed }
  for (const [key, value] of Object.entries(seed)) {
    const [partition = '', ...sort] = key.split('/')
    await put(store, partition, sort.join('/'), value, false)
  }
  const kernel = await createKernel({
    origin: ORIGIN,
    store,
    log,
    custody,
    logKey: options.logKey ?? 'log',
    engine: testEngine(),
    clock,
    plugins: [lease as Plugin],
    outbound: options.outbound ?? [collector()],
    development: true,
  })
  await kernel.activate(options.bundle ?? (await leaseBundle()))
  return {
    kernel,
    clock,
    store,
    log,
    now: () => Math.floor(clock.now() / 1000),
    decide: (action, payload, peer = OPERATOR) =>
      kernel.decide({ action, payload: Payload.fromJson(payload), peer }, { seal: 'durable' }),
    resource: async (name) => (await read(store, `resource/${name}`)) as ResourceRecord | undefined,
    lease: async (id) => (await read(store, `lease/${id}`)) as LeaseRecord | undefined,
    put: (partition, sort, value) => put(store, partition, sort, value, true),
  }
}

async function enrolled(custody: Custody): Promise<Seed> {
  const [key] = await custody.list('cell')
  if (key === undefined) throw new Error('the custody keeps no key of a cell')
  const own = { public_key: toBase64url(key.publicKey), state: 'active', custody: key.name }
  const far = { public_key: publicKey(), state: 'active' }
  const tenant = { keys: [], state: 'active' }
  return {
    'enrolment/cell/cell-a': { cell: CELL, keys: [own], local: true },
    'enrolment/cell/cell-far': { cell: 'cell-far', keys: [far], local: false },
    'enrolment/tenant/acme': { tenant: 'acme', ...tenant },
    'enrolment/tenant/demo': { tenant: TENANT, ...tenant },
  }
}

async function put(
  store: Store,
  partition: string,
  sort: string,
  value: Json,
  replace: boolean,
): Promise<void> {
  const key = { partition, sort }
  const there = await store.get(key)
  if (there && !replace) return
  const bytes = new TextEncoder().encode(JSON.stringify(value))
  const [outcome] = await store.commit([
    { writes: [{ put: key, value: bytes, if: there?.version ?? 'absent' }] },
  ])
  if (outcome === undefined || 'error' in outcome || 'conflict' in outcome)
    throw new Error(`${partition}/${sort} was not written`)
}

export async function read(store: Store, sort: string): Promise<Json | undefined> {
  const stored = await store.get({ partition: 'lease', sort })
  return stored && (JSON.parse(new TextDecoder().decode(stored.value)) as Json)
}

/** The codes of a decision's reasons; one, wherever `lease` decides. */
export const code = ({ reasons }: Pick<Decision, 'reasons'>): string =>
  reasons.map((reason) => reason.code).join(' ')

/** What a grant and a renewal answer. */
export interface Granted {
  readonly expires_at: number
  readonly generation: number
  readonly lease: string
  readonly payload: string
  readonly signature: string
}
