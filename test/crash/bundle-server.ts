/** A server of signed bundles over one folder, which the test and the process that is killed open alike. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemClock } from '../../adapters/clock/system.ts'
import { openFileCustody } from '../../adapters/custody/file/index.ts'
import { patched } from '../../adapters/engine/data/index.ts'
import { createJitEngine } from '../../adapters/engine/jit/index.ts'
import type { Value } from '../../adapters/engine/value/value.ts'
import { DEFAULT_LIMITS } from '../../adapters/policies/bundle/archive.ts'
import { BundleCache } from '../../adapters/policies/bundle/cache.ts'
import { fileSource } from '../../adapters/policies/bundle/file-source.ts'
import { BundleKeeper, type KeeperOptions } from '../../adapters/policies/bundle/keeper.ts'
import { openSqlite } from '../../adapters/store/sqlite/index.ts'
import type { Json } from '../../core/json.ts'
import { createKernel, type Kernel } from '../../core/kernel.ts'
import { importRoots } from '../../formats/bundle/index.ts'
import { notePlugin } from '../kernel/kit.ts'

export interface BundleServer {
  readonly kernel: Kernel
  readonly keeper: BundleKeeper
  stop(): Promise<void>
}

/** The bundle lies in `next.tar.gz`, the roots in `roots.json`. */
export async function openBundleServer(
  folder: string,
  around: (options: KeeperOptions) => KeeperOptions = (options) => options,
): Promise<BundleServer> {
  const keys = JSON.parse(await readFile(join(folder, 'roots.json'), 'utf8')) as string[]
  const { log, store } = await openSqlite({ path: join(folder, 'log.db') })
  const custody = await openFileCustody({ dir: join(folder, 'keys') })
  if ((await custody.list('log')).length === 0)
    await custody.transition(await custody.create('log', 'log'), 'active')
  const engine = createJitEngine()
  const kernel = await createKernel({
    origin: 'assay.test/bundles',
    store,
    log,
    custody,
    logKey: 'log',
    engine,
    clock: systemClock,
    plugins: [notePlugin()],
    development: false,
  })
  const options: KeeperOptions = {
    source: fileSource(join(folder, 'next.tar.gz'), DEFAULT_LIMITS),
    trust: { roots: importRoots({ keys, threshold: keys.length }) },
    limits: DEFAULT_LIMITS,
    capabilities: 'trust',
    trial: { engine, entrypoints: ['assay/note/decision'] },
    kernel,
    store,
    cache: new BundleCache(join(folder, 'bundles')),
    patched: (data, operations) => patched(data as Value, operations) as Json,
    clock: systemClock,
    poll: { minMs: 10, maxMs: 100 },
    staleAfterMs: 60_000,
    onPolicy: () => undefined,
  }
  const keeper = await BundleKeeper.open(around(options)).catch(async (error: unknown) => {
    await kernel.close()
    throw error
  })
  const stop = async (): Promise<void> => {
    await keeper.close()
    await kernel.close()
  }
  return { kernel, keeper, stop }
}
