/** A kernel of real parts, in memory: some plugins with their own policies, compiled and run, and a clock that a test moves. */
import { join } from 'node:path'
import { type ManualClock, manualClock } from '../../adapters/clock/manual.ts'
import { loadFolder } from '../../adapters/policies/folder.ts'
import { openMemory } from '../../adapters/store/memory/index.ts'
import type { Limits } from '../../core/core.ts'
import type { Json } from '../../core/json.ts'
import { createKernel, type Decision, type Kernel } from '../../core/kernel.ts'
import type { Plugin } from '../../core/plugin.ts'
import type { Sources } from '../../core/ports/compiler.ts'
import type { Custody } from '../../core/ports/custody.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Outbound } from '../../core/ports/outbound.ts'
import type { Store } from '../../core/ports/store.ts'
import { Payload, type Peer } from '../../core/request.ts'
import { testEngine } from '../engine.ts'
import { bundle } from '../rego.ts'
import { testCustody } from './custody.ts'

export const START_MS = 1_800_000_000_000
export const OPERATOR: Peer = { kind: 'operator', id: 'test' }

/** The package's policies of these plugins, and what all of them stand on. `data` takes the place of a plugin's data.json. */
export async function policiesOf(
  plugins: readonly string[],
  data: Readonly<Record<string, Json>> = {},
): Promise<Sources> {
  const all = await loadFolder(join(import.meta.dirname, '../../policies'))
  const own = Object.entries(all).filter(([path]) => {
    const [folder = ''] = path.split('/')
    return (
      !path.endsWith('_test.rego') && (!path.includes('/') || [...plugins, 'lib'].includes(folder))
    )
  })
  const given = Object.entries(data).map(([name, value]) => [
    `${name}/data.json`,
    JSON.stringify(value),
  ])
  return Object.fromEntries([...own, ...given])
}

export interface RealOptions {
  readonly data?: Readonly<Record<string, Json>>
  readonly outbound?: readonly Outbound[]
  readonly limits?: Partial<Limits>
  /** With an active key `log` of scope `log`. Default: {@link testCustody}. */
  readonly custody?: Custody
  /** Default: in memory. */
  readonly pair?: { readonly store: Store; readonly log: LogStore }
}
export interface Real {
  readonly kernel: Kernel
  readonly store: Store
  readonly log: LogStore
  readonly clock: ManualClock
  /** Has a key `cell` of scope `cell`. */
  readonly custody: Custody
  /** A record as it is stored. */
  record(partition: string, sort: string): Promise<Json | undefined>
  decide(action: string, payload: Json, peer?: Peer): Promise<Decision>
  /** `allow`, then the codes of the reasons. */
  ask(action: string, payload: Json, peer?: Peer): Promise<readonly (boolean | string)[]>
}

export async function realKernel(
  plugins: readonly Plugin[],
  { custody: given, data = {}, limits = {}, outbound = [], pair = openMemory() }: RealOptions = {},
): Promise<Real> {
  const { store, log } = pair
  const clock = manualClock(START_MS)
  const custody = given ?? (await testCustody())
  const kernel = await createKernel({
    origin: 'assay.test/real',
    store,
    log,
    clock,
    custody,
    logKey: 'log',
    engine: testEngine(),
    plugins,
    outbound,
    limits,
    development: true,
  })
  const names = plugins.map(({ name }) => name)
  const entrypoints = names.map((name) => `assay/${name}/decision`)
  const sources = await policiesOf(names, data)
  await kernel.activate(await bundle(sources, entrypoints))
  const decide = (action: string, payload: Json, peer: Peer = OPERATOR): Promise<Decision> =>
    kernel.decide({ action, payload: Payload.fromJson(payload), peer })
  return {
    kernel,
    store,
    log,
    clock,
    custody,
    decide,
    async ask(action, payload, peer) {
      const { allow, reasons } = await decide(action, payload, peer)
      return [allow, ...reasons.map(({ code }) => code)]
    },
    async record(partition, sort) {
      const stored = await store.get({ partition, sort })
      return stored && (JSON.parse(new TextDecoder().decode(stored.value)) as Json)
    },
  }
}
