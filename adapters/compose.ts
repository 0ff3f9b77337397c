/**
 * The composition root: a configuration becomes adapters in a tsyringe container, adapters become a kernel. The only file in which
 * adapters and built-in plugins meet. All or nothing: whatever fails at start closes what was opened before it.
 */
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import 'reflect-metadata'
import { container, type InjectionToken, instanceCachingFactory } from 'tsyringe'
import { ConfigError, KernelError, RegistryError } from '../core/error.ts'
import { createKernel, type Kernel } from '../core/kernel.ts'
import type { TrustAnchor } from '../core/log/anchor.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Audit } from '../core/ports/audit.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Compiler } from '../core/ports/compiler.ts'
import type { Custody } from '../core/ports/custody.ts'
import type { Engine } from '../core/ports/engine.ts'
import type { Outbound } from '../core/ports/outbound.ts'
import { createAudit } from './audit/audit.ts'
import { type Config, type Foreign, OWN_POLICIES, type PluginChoice } from './config/complete.ts'
import { BUILT_IN } from './config/schema.ts'
import { didYouMean } from './config/suggest.ts'
import { makeFolder, temporaryFolder } from './datafolder/folder.ts'
import { type LogIdentity, openIdentity } from './datafolder/identity.ts'
import { finishRotation } from './datafolder/rotate.ts'
import { importState, isUntouched } from './datafolder/state.ts'
import type { Adapter, AdapterPort, StorePair } from './extension/extension.ts'
import { loadAdapter, loadPlugin } from './extension/load.ts'
import { loadFolder } from './policies/folder.ts'
import {
  compilePolicies,
  keepPolicies,
  type OpaOptions,
  type PolicyEvent,
  type PolicyOptions,
} from './policies/live.ts'
import { OpaDesk } from './policies/opa/desk.ts'
import { readBundle, readFolder } from './policies/opa/source.ts'
import { keepRetention } from './retention/sweeper.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

export type { Config, PolicyEvent, StorePair }
export { compilePolicies, loadFolder }

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
type Opened<Port extends keyof Ports> = Promise<Ports[Port]> | Ports[Port]
interface PartOf<Port extends keyof Ports> {
  readonly port: Port
  open(): Opened<Port>
}
/**
 * Takes the place of what the configuration says about one port: for embedding and for tests. The kernel closes a store and a custody;
 * the rest is the opener's to close.
 */
export type Part = { [Port in keyof Ports]: PartOf<Port> }[keyof Ports]

const TOKENS: { readonly [Port in keyof Ports]: InjectionToken<Opened<Port>> } = {
  clock: Symbol('clock') as InjectionToken<Opened<'clock'>>,
  store: Symbol('store') as InjectionToken<Opened<'store'>>,
  custody: Symbol('custody') as InjectionToken<Opened<'custody'>>,
  engine: Symbol('engine') as InjectionToken<Opened<'engine'>>,
  compiler: Symbol('compiler') as InjectionToken<Opened<'compiler'>>,
  outbound: Symbol('outbound') as InjectionToken<Opened<'outbound'>>,
  plugins: Symbol('plugins') as InjectionToken<Opened<'plugins'>>,
}

export interface AdapterOptions {
  readonly parts?: readonly Part[]
  /** Opens the store beside a process that writes, without changing a byte. */
  readonly readOnly?: boolean
}

/** The adapters of one configuration, each opened when it is first asked for and closed with the others. */
export class Adapters {
  readonly config: Config
  /** A user's own OPA policies, where the configuration names some. */
  readonly opa: OpaDesk | undefined
  readonly #container = container.createChildContainer()
  readonly #closing: (() => Promise<unknown>)[] = []

  /** @throws RegistryError `duplicate_adapter` */
  constructor(config: Config, { parts = [], readOnly = false }: AdapterOptions = {}) {
    this.config = config
    this.opa = config.opa && new OpaDesk(async () => (await this.get('store')).store)
    for (const part of parts) this.#provide(part)
    const given = new Set<string>(parts.map(({ port }) => port))
    for (const part of configured(this, readOnly)) if (!given.has(part.port)) this.#provide(part)
  }

  /** tsyringe itself would let a second registration win without a word. */
  #provide<Port extends keyof Ports>(part: PartOf<Port>): void {
    const token = TOKENS[part.port]
    if (this.#container.isRegistered(token))
      throw new RegistryError('compose', 'duplicate_adapter', `two adapters for ${part.port}`)
    this.#container.register<Opened<Port>>(token, {
      useFactory: instanceCachingFactory(() => part.open()),
    })
  }

  async get<Port extends keyof Ports>(port: Port): Promise<Ports[Port]> {
    return await this.#container.resolve<Opened<Port>>(TOKENS[port])
  }

  /** {@link close} closes what is named here, the last one first. */
  onClose(close: () => Promise<unknown>): void {
    this.#closing.push(close)
  }

  /** Closes everything, also when something does not close, and throws the first such error. */
  async close(): Promise<void> {
    const failures: unknown[] = []
    for (let close = this.#closing.pop(); close; close = this.#closing.pop())
      await close().catch((error: unknown) => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
}

/** One part for each port, as the configuration says. A module is imported when its port is first asked for. */
function configured(adapters: Adapters, readOnly: boolean): readonly Part[] {
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
  const pair = await openPair(adapters.config, readOnly)
  adapters.onClose(() => pair.store.close())
  adapters.onClose(() => pair.log.close())
  return pair
}

async function openPair(config: Config, readOnly: boolean): Promise<StorePair> {
  const { store } = config
  if (store.kind === 'foreign') return openForeign('store', store, config)
  if (store.kind === 'sqlite') {
    const { openSqlite } = await import('./store/sqlite/index.ts')
    return openSqlite({ path: store.path, integrity: store.integrity, readOnly })
  }
  if (readOnly)
    throw new ConfigError('invalid_config', 'nothing is left of a store in memory; use sqlite')
  return (await import('./store/memory/index.ts')).openMemory()
}

async function openCustody(adapters: Adapters): Promise<Custody> {
  const custody = await openKeys(adapters)
  adapters.onClose(() => custody.close())
  return custody
}

async function openKeys(adapters: Adapters): Promise<Custody> {
  const { config } = adapters
  if (config.custody.kind === 'foreign') return openForeign('custody', config.custody, config)
  const { openFileCustody } = await import('./custody/file/index.ts')
  if (config.store.kind !== 'memory') return openFileCustody({ dir: config.custody.dir })
  const { path, remove } = await temporaryFolder()
  adapters.onClose(remove)
  return openFileCustody({ dir: path })
}

async function openEngine(adapters: Adapters): Promise<Engine> {
  const { config } = adapters
  const { engine } = config
  if (engine.kind === 'foreign') return openForeign('engine', engine, config)
  if (engine.isolation === 'none')
    return (await import('./engine/wasm/index.ts')).createWasmEngine()
  return openIsolatedEngine(adapters, engine.deadlineMs)
}

async function openIsolatedEngine(adapters: Adapters, deadlineMs: number): Promise<Engine> {
  const { isolateEngine } = await import('./isolation/worker.ts')
  const options = { deadlineMs, exportName: 'createWasmEngine' }
  const isolated = await isolateEngine(ownModule('./engine/wasm/index'), options)
  adapters.onClose(() => isolated.close())
  return isolated
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

const OWN_PLUGINS: Readonly<
  Record<
    string,
    {
      readonly path: string
      readonly exportName: string
      /** For policy folders that have none of their own for it. */
      readonly policies?: URL
    }
  >
> = {
  access: { path: '../plugins/access/facts', exportName: 'access' },
  audit: {
    path: '../plugins/audit/facts',
    exportName: 'audit',
    policies: pathToFileURL(join(OWN_POLICIES, 'audit')),
  },
}
/** The one that reads decisions and erases their openings: no other plugin can, whatever its name. */
const AUDITOR = 'audit'

async function openPlugin(choice: PluginChoice, adapters: Adapters): Promise<PluginPart> {
  const own = Object.hasOwn(OWN_PLUGINS, choice.name) ? OWN_PLUGINS[choice.name] : undefined
  const { isolation, deadlineMs } = choice
  if (own === undefined) {
    const hint = didYouMean(choice.name, BUILT_IN.plugins)
    const { extension, url } = await loadPlugin(choice.name, adapters.config.folder, hint)
    const { plugin, policies } = extension
    const brought = policies === undefined ? {} : { policies }
    if (isolation === 'none') return { plugin, ...brought }
    return { plugin: await isolated(url, 'default'), ...brought }
  }
  const url = ownModule(own.path)
  const brought = own.policies === undefined ? {} : { policies: own.policies }
  if (isolation === 'worker') return { plugin: await isolated(url, own.exportName), ...brought }
  return { plugin: (await import(url.href))[own.exportName] as Plugin, ...brought }

  async function isolated(module: URL, exportName: string): Promise<Plugin> {
    const { isolatePlugin } = await import('./isolation/worker.ts')
    const plugin = await isolatePlugin(module, { deadlineMs, exportName })
    adapters.onClose(() => plugin.close())
    return plugin
  }
}

export interface ComposeOptions extends Pick<AdapterOptions, 'parts'> {
  /** Recompile and swap when the policy folder changes. Default: what the configuration says. */
  readonly watch?: boolean
  readonly onPolicy?: (event: PolicyEvent) => void
  /** Of the shadow's folder. */
  readonly onShadow?: (event: PolicyEvent) => void
  /** Collect metrics where the configuration does not say. Default false. */
  readonly metrics?: boolean
}

/** A kernel with a policy, ready to decide. */
export interface Composed {
  readonly kernel: Kernel
  readonly config: Config
  /** What `trust.json` in the data folder says. */
  readonly anchor: TrustAnchor
  readonly anchorFile: string
  /** Where the plugin `audit` is configured. */
  readonly audit?: Audit
  /** Where the configuration names OPA policies. */
  readonly opa?: OpaDesk
  /** Metrics, traces and log lines, and what a transport shows of them. */
  readonly telemetry: Telemetry
  /** Drains the kernel and closes every adapter. */
  close(): Promise<void>
}

/** @throws ConfigError, RegistryError, StoreError, CustodyError, CompilerError, EngineError, LogError: nothing is left open then */
export async function compose(config: Config, options: ComposeOptions = {}): Promise<Composed> {
  const adapters = new Adapters(config, options)
  try {
    const started = await start(adapters, options)
    return { ...started, close: () => adapters.close() }
  } catch (error) {
    await adapters.close().catch(() => undefined)
    throw error
  }
}

export const SEAL_TIMEOUT_MS = 5000

/** The data folder, with any change of the log's key that was begun brought to its end. */
export async function openLog(
  adapters: Adapters,
): Promise<StorePair & { clock: Clock; custody: Custody; identity: LogIdentity }> {
  const { data, origin } = adapters.config
  await makeFolder(data)
  const { store, log } = await adapters.get('store')
  const custody = await adapters.get('custody')
  const clock = await adapters.get('clock')
  const { durable } = store
  const sealTimeoutMs = SEAL_TIMEOUT_MS
  await finishRotation({ dataFolder: data, store, log, custody, clock, sealTimeoutMs })
  const identity = await openIdentity({ dataFolder: data, origin, custody, log, durable })
  return { clock, store, log, custody, identity }
}

async function start(
  adapters: Adapters,
  options: ComposeOptions,
): Promise<Omit<Composed, 'close'>> {
  const { config } = adapters
  const { custody, identity, log, store } = await openLog(adapters)
  const { opa: desk } = adapters
  const policies = serving(await policyOptions(adapters), desk)
  const compiler = await adapters.get('compiler')
  const known = await loadFolder(policies.dir)
  const bundle = await compilePolicies(known, policies, compiler)
  const untouched = config.state !== undefined && (await isUntouched(log))
  const telemetry = await openTelemetry(adapters, options)
  const kernel = await createKernel({
    origin: identity.origin,
    store,
    log,
    custody,
    logKey: identity.key.name,
    engine: await adapters.get('engine'),
    clock: await adapters.get('clock'),
    plugins: (await adapters.get('plugins')).map(({ plugin }) => plugin),
    outbound: [...(await adapters.get('outbound')), ...(desk === undefined ? [] : [desk.outbound])],
    development: true,
    limits: config.limits,
    observer: telemetry.observer,
    ...(await shadowEngine(adapters)),
    ...(hasAuditor(config) ? { auditor: AUDITOR } : {}),
  })
  adapters.onClose(() => kernel.close())
  telemetry.attach(kernel)
  desk?.serve(kernel)
  const active = desk ?? kernel
  await active.activate(bundle)
  if (untouched && config.state !== undefined) await importState(kernel, config.state)
  await startExports(adapters, telemetry, { log, store }, identity.origin)
  const onPolicy = telemetry.policies(options.onPolicy)
  if (options.watch ?? config.policies.watch) {
    const kept = keepPolicies(active, compiler, { ...policies, known }, onPolicy)
    adapters.onClose(() => kept.close())
  }
  await startShadow(adapters, kernel, policies, options)
  const audit = keepAudit(adapters, kernel, { log, store })
  const opa = desk === undefined ? {} : { opa: desk }
  const { anchor, anchorFile } = identity
  return { kernel, config, anchor, anchorFile, telemetry, ...audit, ...opa }
}

/** They stop before what they read from is closed. */
async function startExports(
  adapters: Adapters,
  telemetry: Telemetry,
  { log, store }: StorePair,
  origin: string,
): Promise<void> {
  const { config } = adapters
  for (const choice of config.operations.exports) {
    const { startExport } = await import('./export/index.ts')
    const exporter = await startExport(choice, {
      origin,
      dataFolder: config.data,
      store,
      log,
      compiler: await adapters.get('compiler'),
      engine: await adapters.get('engine'),
      ...(choice.mask === undefined ? {} : { maskSources: await loadFolder(choice.mask) }),
      watch: (name, state) => telemetry.exporting(name, state),
    })
    adapters.onClose(() => exporter.close())
  }
}

async function openTelemetry(
  adapters: Adapters,
  { metrics = false }: ComposeOptions,
): Promise<Telemetry> {
  const { log, telemetry } = adapters.config.operations
  const opened = await (await import('./telemetry/telemetry.ts')).Telemetry.open({
    clock: await adapters.get('clock'),
    metrics: telemetry.metrics ?? metrics,
    traces: telemetry.traces,
    ...(log === undefined ? {} : { log }),
  })
  adapters.onClose(async () => opened.close())
  return opened
}

function keepAudit(adapters: Adapters, kernel: Kernel, pair: StorePair): { audit?: Audit } {
  const { config } = adapters
  if (!hasAuditor(config)) return {}
  const everyMs = config.audit.sweepMinutes * 60_000
  if (everyMs > 0) {
    // What failed shows in the kernel's readiness, and is tried again.
    const sweeper = keepRetention(kernel, { everyMs })
    adapters.onClose(() => sweeper.close())
  }
  return { audit: createAudit({ kernel, ...pair }) }
}

function hasAuditor({ plugins }: Config): boolean {
  return plugins.some(({ name }) => name === AUDITOR)
}

/** A worker of its own, so that a policy on trial keeps nobody waiting, whatever it does. */
async function shadowEngine(adapters: Adapters): Promise<{ shadowEngine?: Engine }> {
  const { engine, policies } = adapters.config
  if (policies.shadow === undefined || engine.kind !== 'wasm') return {}
  return { shadowEngine: await openIsolatedEngine(adapters, engine.deadlineMs) }
}

async function startShadow(
  adapters: Adapters,
  kernel: Kernel,
  policies: PolicyOptions,
  { onShadow = () => undefined, watch = adapters.config.policies.watch }: ComposeOptions,
): Promise<void> {
  const { shadow: dir } = adapters.config.policies
  if (dir === undefined) return
  const { keepShadow } = await import('./policies/shadow.ts')
  const compiler = await adapters.get('compiler')
  const kept = await keepShadow(kernel, compiler, { ...policies, dir, watch }, onShadow)
  adapters.onClose(() => kept.close())
}

/** With what callers pushed in the place of the documents that came with their policies. */
function serving(policies: PolicyOptions, desk: OpaDesk | undefined): PolicyOptions {
  const { opa } = policies
  if (opa === undefined || desk === undefined) return policies
  return { ...policies, opa: { ...opa, pushed: () => desk.pushed() } }
}

/** What {@link policySources} and the compiler need to know. */
export async function policyOptions(adapters: Adapters): Promise<PolicyOptions> {
  const { dir, capabilities } = adapters.config.policies
  const plugins = (await adapters.get('plugins')).map(({ plugin, policies }) => ({
    name: plugin.name,
    ...(policies === undefined ? {} : { policies }),
  }))
  return { dir, capabilities, plugins, ...opaOptions(adapters.config) }
}

function opaOptions({ opa }: Config): { opa?: OpaOptions } {
  if (opa === undefined) return {}
  const { entrypoints, kind, path } = opa
  const read = kind === 'bundle' ? () => readBundle(path) : () => readFolder(path)
  return { opa: { entrypoints, read, ...(kind === 'dir' ? { folder: path } : {}) } }
}
