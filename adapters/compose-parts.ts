/** What a configuration names for each port, opened when it is first asked for. A module is imported then, and not before. */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError, KernelError } from '../core/error.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Compiler } from '../core/ports/compiler.ts'
import type { Custody } from '../core/ports/custody.ts'
import type { Engine } from '../core/ports/engine.ts'
import type { Outbound } from '../core/ports/outbound.ts'
import type { Adapters } from './compose.ts'
import { openKeys } from './compose-custody.ts'
import { openOwnEngine } from './compose-engine.ts'
import { type Config, type Foreign, OWN_POLICIES, type PluginChoice } from './config/complete.ts'
import { BUILT_IN } from './config/schema.ts'
import { didYouMean } from './config/suggest.ts'
import type { Adapter, AdapterPort, StorePair } from './extension/extension.ts'
import { loadAdapter, loadPlugin } from './extension/load.ts'
import type { InitOptions } from './store/dynamodb/init.ts'

/** What the kernel is put together from, by port. */
export interface Ports {
  readonly clock: Clock
  readonly store: StorePair
  readonly custody: Custody
  readonly engine: Engine
  readonly compiler: Compiler
  readonly outbound: readonly Outbound[]
  readonly plugins: readonly PluginPart[]
}
/** A plugin, and the folder of Rego that it brings for those who have none of their own for it. */
export interface PluginPart {
  readonly plugin: Plugin
  readonly policies?: URL
}
export type Opened<Port extends keyof Ports> = Promise<Ports[Port]> | Ports[Port]
export interface PartOf<Port extends keyof Ports> {
  readonly port: Port
  open(): Opened<Port>
}
/**
 * Takes the place of what the configuration says about one port: for embedding and for tests. The kernel closes a store and a custody;
 * the rest is the opener's to close.
 */
export type Part = { [Port in keyof Ports]: PartOf<Port> }[keyof Ports]

/** One part for each port, as the configuration says. A module is imported when its port is first asked for. */
export function configured(adapters: Adapters, readOnly: boolean): readonly Part[] {
  return [
    { port: 'clock', open: async () => (await import('./clock/system.ts')).systemClock },
    { port: 'store', open: () => openStore(adapters, readOnly) },
    { port: 'custody', open: () => openCustody(adapters) },
    { port: 'engine', open: () => openEngine(adapters) },
    { port: 'compiler', open: () => openCompiler(adapters) },
    { port: 'outbound', open: () => openOutbound(adapters.config) },
    { port: 'plugins', open: () => openPlugins(adapters) },
  ]
}

async function openStore(adapters: Adapters, readOnly: boolean): Promise<StorePair> {
  const pair = await openPair(adapters, readOnly)
  adapters.onClose(() => pair.store.close())
  adapters.onClose(() => pair.log.close())
  return pair
}

async function openPair(adapters: Adapters, readOnly: boolean): Promise<StorePair> {
  const { config } = adapters
  const { store } = config
  if (store.kind === 'foreign') return openForeign('store', store, config)
  if (store.kind === 'sqlite') {
    const { openSqlite } = await import('./store/sqlite/index.ts')
    return openSqlite({ path: store.path, integrity: store.integrity, readOnly })
  }
  if (store.kind === 'dynamodb') {
    const { openDynamo } = await import('./store/dynamodb/index.ts')
    return openDynamo({ ...store, clock: await adapters.get('clock'), readOnly })
  }
  if (readOnly)
    throw new ConfigError('invalid_config', 'nothing is left of a store in memory; use sqlite')
  return (await import('./store/memory/index.ts')).openMemory()
}

/** What a table is made with. */
export type TableChoice = Pick<InitOptions, 'deletionProtection' | 'pointInTimeRecovery'>

/** Makes the table that the configuration names, or finds it ready. @throws ConfigError `invalid_config`: the store is of another kind; StoreError */
export async function initStore(
  adapters: Adapters,
  choice: TableChoice,
): Promise<{ readonly table: string; readonly made: boolean }> {
  const { store } = adapters.config
  if (store.kind !== 'dynamodb')
    throw new ConfigError(
      'invalid_config',
      `a store of kind ${store.kind} is ready when it is first used; store init is for dynamodb`,
    )
  const { initTable } = await import('./store/dynamodb/index.ts')
  const clock = await adapters.get('clock')
  return { table: store.table, made: await initTable({ ...store, ...choice, clock }) }
}

async function openCustody(adapters: Adapters): Promise<Custody> {
  const { config } = adapters
  const custody = await openKeys(adapters, (choice) => openForeign('custody', choice, config))
  adapters.onClose(() => custody.close())
  return custody
}

async function openEngine(adapters: Adapters): Promise<Engine> {
  const { config } = adapters
  const { engine } = config
  if (engine.kind === 'foreign') return openForeign('engine', engine, config)
  return openOwnEngine(adapters, engine)
}

async function openCompiler(adapters: Adapters): Promise<Compiler> {
  const { config } = adapters
  const { compiler } = config
  const opened =
    compiler.kind === 'foreign'
      ? await openForeign('compiler', compiler, config)
      : (await import('./compiler/opa/index.ts')).createOpaCompiler(compiler)
  adapters.onClose(() => opened.close())
  return opened
}

async function openOutbound(config: Config): Promise<readonly Outbound[]> {
  return Promise.all(config.outbound.map((choice) => openForeign('outbound', choice, config)))
}

type Provided<Port extends AdapterPort> = Awaited<
  ReturnType<Extract<Adapter, { port: Port }>['open']>
>
async function openForeign<Port extends AdapterPort>(
  port: Port,
  { specifier, options }: Foreign,
  { data, folder }: Config,
): Promise<Provided<Port>> {
  const hint = didYouMean(specifier, BUILT_IN[port])
  const adapter = await loadAdapter(port, specifier, folder, hint)
  try {
    const opened = await adapter.open(options, { dataFolder: data, configFolder: folder })
    return opened as Provided<Port>
  } catch (error) {
    if (error instanceof KernelError) throw error
    const why = error instanceof Error ? error.message : 'it threw'
    throw new ConfigError('unknown_adapter', `"${specifier}" cannot be opened: ${why}`)
  }
}

/** A module of this package, which runs from `.ts` sources and from `.js` in `dist`. */
function ownModule(path: string): URL {
  return new URL(`${path}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url)
}

async function openPlugins(adapters: Adapters): Promise<readonly PluginPart[]> {
  const parts: PluginPart[] = []
  for (const choice of adapters.config.plugins) parts.push(await openPlugin(choice, adapters))
  const { opa } = adapters
  if (opa !== undefined) {
    const { createOpa } = await import('../plugins/opa/facts.ts')
    const policies = pathToFileURL(`${OWN_POLICIES}/opa/`)
    parts.push({ plugin: createOpa(() => opa.served) as Plugin, policies })
  }
  return parts
}

/** By name: their export has it too. */
const OWN_PLUGINS: ReadonlySet<string> = new Set(BUILT_IN.plugins)
/** For policy folders that have none of their own for a plugin. `access` is what such a folder is about. */
const ownPolicies = (name: string): { readonly policies?: URL } =>
  name === 'access' ? {} : { policies: pathToFileURL(join(OWN_POLICIES, name)) }
/** The one that reads decisions and erases their openings: no other plugin can, whatever its name. */
export const AUDITOR = 'audit'

async function openPlugin(choice: PluginChoice, adapters: Adapters): Promise<PluginPart> {
  const { isolation, deadlineMs, name } = choice
  if (!OWN_PLUGINS.has(name)) {
    const hint = didYouMean(name, BUILT_IN.plugins)
    const { extension, url } = await loadPlugin(name, adapters.config.folder, hint)
    const { plugin, policies } = extension
    const brought = policies === undefined ? {} : { policies }
    if (isolation === 'none') return { plugin, ...brought }
    return { plugin: await isolated(url, 'default'), ...brought }
  }
  const url = ownModule(`../plugins/${name}/facts`)
  const brought = ownPolicies(name)
  if (isolation === 'worker') return { plugin: await isolated(url, name), ...brought }
  return { plugin: (await import(url.href))[name] as Plugin, ...brought }

  async function isolated(module: URL, exportName: string): Promise<Plugin> {
    const { isolatePlugin } = await import('./isolation/worker.ts')
    const plugin = await isolatePlugin(module, { deadlineMs, exportName })
    adapters.onClose(() => plugin.close())
    return plugin
  }
}
