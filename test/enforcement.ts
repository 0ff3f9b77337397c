/** A kernel with the plugin `capability` alone, its real policies, and records as the plugins that own them write them. */
import { join } from 'node:path'
import { manualClock } from '../adapters/clock/manual.ts'
import { loadFolder } from '../adapters/policies/folder.ts'
import { openMemory } from '../adapters/store/memory/index.ts'
import type { Json } from '../core/json.ts'
import { createKernel, type Decision, type Kernel, type KernelOptions } from '../core/kernel.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Bundle, Sources } from '../core/ports/compiler.ts'
import type { LogStore } from '../core/ports/logstore.ts'
import type { Store } from '../core/ports/store.ts'
import { Payload, type Peer } from '../core/request.ts'
import { capability } from '../plugins/capability/facts.ts'
import { testEngine } from './engine.ts'
import { testCustody } from './kernel/custody.ts'
import { bundle } from './rego.ts'
import { root } from './source.ts'

export const ENTRYPOINT = 'assay/capability/decision'

/** What decides on tokens, and nothing else: plugins beside it do not matter here. */
export async function tokenPolicies(folder: string = join(root, 'policies')): Promise<Sources> {
  const sources = await loadFolder(folder)
  const mine = Object.entries(sources).filter(
    ([path]) => /^(?:capability|lib)\/|^(?:data\.json|main\.rego)$/.test(path) && !isTest(path),
  )
  return Object.fromEntries(mine)
}
const isTest = (path: string): boolean => path.endsWith('_test.rego')

let policies: Promise<Bundle> | undefined
/** Compiled once. */
export function tokenBundle(): Promise<Bundle> {
  policies ??= tokenPolicies().then((sources) => bundle(sources, [ENTRYPOINT]))
  return policies
}

/** By plugin, then key. */
export type Records = Readonly<Record<string, Readonly<Record<string, Json>>>>

export interface PointOptions extends Partial<KernelOptions> {
  /** Unix seconds. */
  readonly now: number
  readonly records?: Records
  /** In front of the kernel's store. */
  readonly watch?: (store: Store) => Store
  readonly bundle?: Bundle
}

export class EnforcementPoint {
  readonly kernel: Kernel
  readonly store: Store
  readonly log: LogStore
  readonly clock: ReturnType<typeof manualClock>

  private constructor(
    kernel: Kernel,
    pair: { readonly store: Store; readonly log: LogStore },
    clock: ReturnType<typeof manualClock>,
  ) {
    this.kernel = kernel
    this.store = pair.store
    this.log = pair.log
    this.clock = clock
  }

  static async open(options: PointOptions): Promise<EnforcementPoint> {
    const { now, records = {}, watch = (store) => store, bundle: other, ...more } = options
    const pair = openMemory()
    await write(pair.store, records)
    const clock = manualClock(now * 1000)
    const kernel = await createKernel({
      origin: 'assay.test/enforcement',
      custody: await testCustody(),
      logKey: 'log',
      engine: testEngine(),
      development: false,
      plugins: [capability as Plugin],
      ...more,
      clock,
      log: pair.log,
      store: watch(pair.store),
    })
    await kernel.activate(other ?? (await tokenBundle()))
    return new EnforcementPoint(kernel, pair, clock)
  }

  // Functions of their own, so that a test can take them apart.
  readonly ask = (action: string, payload: Json, peer?: Peer): Promise<Decision> => {
    const given = peer === undefined ? {} : { peer }
    return this.kernel.decide({ action, payload: Payload.fromJson(payload), ...given })
  }

  readonly use = (payload: Json): Promise<Decision> => this.ask('capability.use', payload)

  /** A record of the plugin `capability`. */
  readonly record = async (sort: string): Promise<Json | undefined> => {
    const row = await this.store.get({ partition: 'capability', sort })
    return row && (JSON.parse(new TextDecoder().decode(row.value)) as Json)
  }

  close(): Promise<void> {
    return this.kernel.close()
  }
}

/** The codes of a decision, with what it came to. */
export const said = ({ allow, reasons }: Decision): readonly [boolean, ...string[]] => [
  allow,
  ...reasons.map(({ code }) => code),
]

async function write(store: Store, records: Records): Promise<void> {
  const writes = Object.entries(records).flatMap(([partition, rows]) =>
    Object.entries(rows).map(([sort, value]) => ({
      put: { partition, sort },
      value: new TextEncoder().encode(JSON.stringify(value)),
      if: 'absent' as const,
    })),
  )
  if (writes.length === 0) return
  const [outcome] = await store.commit([{ writes }])
  if (outcome === undefined || 'conflict' in outcome || 'error' in outcome)
    throw new Error('the records could not be written')
}
