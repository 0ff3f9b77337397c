/**
 * The composition root: a configuration becomes adapters in a tsyringe container, adapters become a kernel. Here, and in
 * the files beside it with such a name, adapters and built-in plugins meet. All or nothing: whatever fails at start closes what was opened before it.
 */
import 'reflect-metadata'
import { container, type InjectionToken, instanceCachingFactory } from 'tsyringe'
import { NoDecision, RegistryError } from '../core/error.ts'
import { createKernel, type Kernel } from '../core/kernel.ts'
import type { TrustAnchor } from '../core/log/anchor.ts'
import type { Audit } from '../core/ports/audit.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Custody } from '../core/ports/custody.ts'
import type { Engine } from '../core/ports/engine.ts'
import { createAudit } from './audit/audit.ts'
import { type CellParts, openCells } from './compose-cells.ts'
import { openOwnEngine } from './compose-engine.ts'
import { createExplaining, type Explaining } from './compose-explain.ts'
import {
  AUDITOR,
  configured,
  type Opened,
  type Part,
  type PartOf,
  type PluginPart,
  type Ports,
} from './compose-parts.ts'
import {
  type PreparedPolicies,
  policyOptions,
  preparePolicies,
  startShadow,
} from './compose-policies.ts'
import { openSigner } from './compose-signer.ts'
import type { Config } from './config/complete.ts'
import { makeFolder } from './datafolder/folder.ts'
import { type LogIdentity, openIdentity } from './datafolder/identity.ts'
import { finishRotation } from './datafolder/rotate.ts'
import { importState, isUntouched } from './datafolder/state.ts'
import type { StorePair } from './extension/extension.ts'
import { loadFolder } from './policies/folder.ts'
import { compilePolicies, type PolicyEvent } from './policies/live.ts'
import { OpaDesk } from './policies/opa/desk.ts'
import { withDocuments } from './policies/opa/union.ts'
import { keepRetention } from './sweep/retention.ts'
import type { EngineComparison, Telemetry } from './telemetry/telemetry.ts'

export type { Config, Part, PluginPart, PolicyEvent, Ports, StorePair }
export { compilePolicies, loadFolder, policyOptions, withDocuments }

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
  #watchEngines: ((comparison: EngineComparison) => void) | undefined

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

  /** What came of a question to two engines, for whoever watches. */
  compared(comparison: EngineComparison): void {
    this.#watchEngines?.(comparison)
  }

  /** From now on; only one can. */
  watchEngines(watch: (comparison: EngineComparison) => void): void {
    this.#watchEngines = watch
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

export interface ComposeOptions extends Pick<AdapterOptions, 'parts'> {
  /** Recompile and swap when the policy folder changes. Default: what the configuration says. */
  readonly watch?: boolean
  readonly onPolicy?: (event: PolicyEvent) => void
  /** Of the shadow's folder. */
  readonly onShadow?: (event: PolicyEvent) => void
  /** Collect metrics where the configuration does not say. Default false. */
  readonly metrics?: boolean
  /** Where it is one of several: named in its log lines. */
  readonly realm?: string
}

/** A kernel with a policy, ready to decide. */
export interface Composed {
  readonly kernel: Kernel
  readonly clock: Clock
  readonly config: Config
  /** What `trust.json` in the data folder says. */
  readonly anchor: TrustAnchor
  readonly anchorFile: string
  /** Where the plugin `audit` is configured. */
  readonly audit?: Audit
  /** Where the configuration names OPA policies. */
  readonly opa?: OpaDesk
  /** Why decisions are what they are; for whoever may open them. */
  readonly explaining: Explaining
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
    return { ...started, explaining: createExplaining(adapters), close: () => adapters.close() }
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
): Promise<Omit<Composed, 'close' | 'explaining'>> {
  const { config } = adapters
  const { clock, custody, identity, log, store } = await openLog(adapters)
  const prepared = await preparePolicies(adapters)
  const untouched = config.state !== undefined && (await isUntouched(log))
  const telemetry = await openTelemetry(adapters, options)
  const acting = [await openCells(adapters), await openSigner(adapters)]
  const opened = { custody, identity, log, store, prepared }
  const kernel = await openKernel(adapters, opened, telemetry, acting)
  telemetry.attach(kernel)
  const onPolicy = telemetry.policies(options.onPolicy)
  const policies = await prepared.activate(kernel, identity.anchor, onPolicy)
  telemetry.follow(policies.standing)
  if (untouched && config.state !== undefined) await importState(kernel, config.state)
  for (const each of acting) await each.start(kernel, { clock, custody, store, telemetry })
  await startExports(adapters, telemetry, { log, store }, identity.origin)
  const { onShadow = () => undefined, watch = config.policies.watch } = options
  if (watch) policies.follow()
  await startShadow(adapters, kernel, watch, onShadow)
  const audit = keepAudit(adapters, kernel, { log, store }, telemetry)
  const opa = adapters.opa === undefined ? {} : { opa: adapters.opa }
  const { anchor, anchorFile } = identity
  return { kernel, clock, config, anchor, anchorFile, telemetry, ...audit, ...opa }
}

/** Closed with the adapters. */
async function openKernel(
  adapters: Adapters,
  {
    custody,
    identity,
    log,
    prepared,
    store,
  }: Omit<Awaited<ReturnType<typeof openLog>>, 'clock'> & {
    readonly prepared: PreparedPolicies
  },
  telemetry: Telemetry,
  acting: readonly CellParts[],
): Promise<Kernel> {
  const { config, opa: desk } = adapters
  // Of two for one kind the last one performs it: a configured one takes the place of ours.
  const own = acting.flatMap((each) => each.outbound)
  const outbound = [...own, ...(await adapters.get('outbound'))]
  const kernel = await createKernel({
    origin: identity.origin,
    store,
    log,
    custody,
    logKey: identity.key.name,
    engine: await adapters.get('engine'),
    clock: await adapters.get('clock'),
    plugins: (await adapters.get('plugins')).map(({ plugin }) => plugin),
    outbound: desk === undefined ? outbound : [...outbound, desk.outbound],
    development: config.policies.source === 'folder',
    ...(prepared.confirmed === undefined ? {} : { policyConfirmed: prepared.confirmed }),
    limits: config.limits,
    observer: telemetry.observer,
    ...(await shadowEngine(adapters)),
    ...(hasAuditor(config) ? { auditor: AUDITOR } : {}),
  })
  adapters.onClose(() => kernel.close())
  return kernel
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
  { metrics = false, realm }: ComposeOptions,
): Promise<Telemetry> {
  const { log, telemetry } = adapters.config.operations
  const opened = await (await import('./telemetry/telemetry.ts')).Telemetry.open({
    clock: await adapters.get('clock'),
    metrics: telemetry.metrics ?? metrics,
    traces: telemetry.traces,
    ...(log && { log: { ...log, realm } }),
  })
  adapters.onClose(async () => opened.close())
  adapters.watchEngines((comparison) => opened.compared(comparison))
  return opened
}

function keepAudit(
  adapters: Adapters,
  kernel: Kernel,
  pair: StorePair,
  telemetry: Telemetry,
): { audit?: Audit } {
  const { config } = adapters
  if (!hasAuditor(config)) return {}
  const everyMs = config.audit.sweepMinutes * 60_000
  if (everyMs > 0) {
    const onError = (error: unknown): void => {
      const code = error instanceof NoDecision ? error.code : 'unavailable'
      telemetry.log?.write('warn', 'retention_failed', { code })
    }
    const sweeper = keepRetention(kernel, { everyMs, onError })
    adapters.onClose(() => sweeper.close())
  }
  return { audit: createAudit({ kernel, ...pair }) }
}

function hasAuditor({ plugins }: Config): boolean {
  return plugins.some(({ name }) => name === AUDITOR)
}

/** In a worker of its own, so that a policy on trial keeps nobody waiting, whatever it does. */
async function shadowEngine(adapters: Adapters): Promise<{ shadowEngine?: Engine }> {
  const { engine, policies } = adapters.config
  if (policies.shadow === undefined || engine.kind === 'foreign') return {}
  return { shadowEngine: await openOwnEngine(adapters, { ...engine, isolation: 'worker' }) }
}
