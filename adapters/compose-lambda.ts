/**
 * `assay/lambda`: a function on AWS Lambda from its parts. They are named in code, not in a configuration file, so that a bundler takes along what is
 * named and nothing else: no compiler, no SDK of a service that is not used, no HTTP framework where no HTTP is served.
 *
 * What is opened is opened once for each execution environment and used by all of its invocations. An environment that cannot open it answers with
 * denials, and tries again with the next invocation.
 */
import { KernelError, NoDecision } from '../core/error.ts'
import { createKernel, type Kernel, type KernelOptions } from '../core/kernel.ts'
import type { Plugin } from '../core/plugin.ts'
import type { Clock } from '../core/ports/clock.ts'
import type { Custody } from '../core/ports/custody.ts'
import { access } from '../plugins/access/facts.ts'
import { audit } from '../plugins/audit/facts.ts'
import { capability } from '../plugins/capability/facts.ts'
import { createOpa } from '../plugins/opa/facts.ts'
import { systemClock } from './clock/system.ts'
import { type KmsCustodyOptions, openKmsCustody } from './custody/kms/index.ts'
import { createJitEngine, type ModuleFunction, type PackedPlan } from './engine/jit/index.ts'
import type { StorePair } from './extension/extension.ts'
import { checkHistory, lastRelease } from './policies/bundle/history.ts'
import { OpaDesk } from './policies/opa/desk.ts'
import type { ServedBundle } from './policies/opa/union.ts'
import { type DynamoOptions, openDynamo } from './store/dynamodb/index.ts'
import { WebCall } from './transport/http/call.ts'
import { readTarget } from './transport/http/forward-path.ts'
import { createFinder } from './transport/http/forward-route.ts'
import {
  type AppOptions,
  Authenticator,
  type AuthOption,
  createApp,
} from './transport/http/index.ts'
import {
  type AuthorizerOptions,
  type AuthorizerRoute,
  createHandler,
  type Identify,
  type LambdaHandler,
  type LambdaOptions,
  type ProxyOptions,
} from './transport/lambda/index.ts'

export type {
  AuthorizerRoute,
  DirectAnswer,
  ExtensionEvent,
  IamAnswer,
  LambdaAnswer,
  LambdaContext,
  LambdaExtension,
  ProxyAnswer,
  SimpleAnswer,
} from './transport/lambda/index.ts'
export { registerExtension } from './transport/lambda/index.ts'
export { access, audit, capability }

/** What `packagePolicies` made of a bundle: `policies.json` and the default export of `policies.mjs`. */
export interface PackagedPolicies {
  readonly policies: {
    readonly bundle: Omit<ServedBundle, 'plan' | 'wasm'>
    readonly plan: PackedPlan
  }
  readonly made: unknown
}

/** What answers proxy events; see {@link httpRoutes}. */
export type HttpPart = (kernel: Kernel, clock: Clock, opa?: OpaDesk) => Promise<ProxyOptions>

/** See {@link opaPolicies}. */
export type OpaPart = (store: StorePair['store']) => {
  readonly desk: OpaDesk
  readonly plugin: Plugin
}

export interface LambdaParts
  extends Pick<LambdaOptions, 'direct' | 'idempotency' | 'maxPayloadBytes' | 'seal'> {
  /** The log's name; it never changes. */
  readonly origin: string
  readonly store: () => Promise<StorePair> | StorePair
  readonly custody: () => Promise<Custody> | Custody
  /** Of scope `log`, with an active version: a function makes no keys. Default `log`. */
  readonly logKey?: string
  readonly plugins: readonly Plugin[]
  readonly policies: PackagedPolicies
  readonly authorizer?: Omit<AuthorizerOptions, 'router'>
  readonly http?: HttpPart
  /** Where the packaged policies have some of OPA's; {@link httpRoutes} serves its Data API then. */
  readonly opa?: OpaPart
  /** How often invocations give leaves their places, where the store does not at commit. Default 1,000; 0: scheduled events do. */
  readonly integrateEveryMs?: number
  readonly limits?: KernelOptions['limits']
  /** Hears why nothing can be opened. Default: a line on standard error. */
  readonly report?: (message: string) => void
}

export interface LambdaFunction extends LambdaHandler {
  /** Opens what is not open yet: await it while the environment starts. Never rejects. */
  readonly ready: Promise<void>
  /** The kernel itself. @throws what opening it threw */
  open(): Promise<Kernel>
}

/** @throws TransportError `invalid_options` */
export function createLambdaHandler(parts: LambdaParts): LambdaFunction {
  const environment = new Environment(parts)
  const { authorizer, direct, http, idempotency, maxPayloadBytes, seal } = parts
  const own: LambdaOptions = {
    ...(authorizer && { authorizer: { ...authorizer, router: routerOf(authorizer.routes) } }),
    ...(http && {
      proxy: { fetch: async (...asked) => (await environment.http()).fetch(...asked) },
    }),
    ...(direct && { direct }),
    ...(idempotency && { idempotency }),
    ...(maxPayloadBytes === undefined ? {} : { maxPayloadBytes }),
    ...(seal && { seal }),
    integrate: () => environment.integrate(),
    isDue: () => environment.isDue,
  }
  const { close, handler } = createHandler(environment, own)
  const closed = async (): Promise<void> => {
    await close()
    await environment.close()
  }
  const onTerm = (): void => {
    void closed()
      .catch(() => undefined)
      .then(() => process.kill(process.pid, 'SIGTERM'))
  }
  process.once('SIGTERM', onTerm)
  return {
    handler,
    ready: environment.open().then(
      () => undefined,
      () => undefined,
    ),
    open: () => environment.open(),
    close: async () => {
      process.removeListener('SIGTERM', onTerm)
      await closed()
    },
  }
}

/** For `store`: one that `assay store init` made. Credentials are those of the function's role. */
export function dynamodb(options: Omit<DynamoOptions, 'clock' | 'readOnly'>): LambdaParts['store'] {
  return () => openDynamo({ ...options, clock: systemClock })
}

/** For `custody`: keys in AWS KMS, with the function's role. */
export function kms(options: Omit<KmsCustodyOptions, 'clock'>): LambdaParts['custody'] {
  return () => openKmsCustody({ ...options, clock: systemClock })
}

interface Opened {
  readonly kernel: Kernel
  readonly proxy: ProxyOptions | undefined
}

class Environment implements Pick<Kernel, 'decide' | 'refused'> {
  readonly #parts: LambdaParts
  readonly #clock = systemClock
  #opening: Promise<Opened> | undefined
  #integratedAt: number
  #decided = 0

  constructor(parts: LambdaParts) {
    this.#parts = parts
    this.#integratedAt = this.#clock.monotonic()
  }

  async open(): Promise<Kernel> {
    return (await this.#opened()).kernel
  }

  #opened(): Promise<Opened> {
    this.#opening ??= open(this.#parts, this.#clock).catch((error: unknown) => {
      this.#opening = undefined
      const { report = console.error } = this.#parts
      report(`assay: ${error instanceof KernelError ? error.message : 'it does not start'}`)
      throw new NoDecision('unavailable', 'this environment cannot be opened', { cause: error })
    })
    return this.#opening
  }

  decide: Kernel['decide'] = async (submission, options) => {
    const { kernel } = await this.#opened()
    this.#decided++
    return await kernel.decide(submission, options)
  }

  refused(source: string, why: string): void {
    void this.#opening?.then(({ kernel }) => kernel.refused(source, why)).catch(() => undefined)
  }

  async http(): Promise<ProxyOptions> {
    const { proxy } = await this.#opened()
    this.#decided++
    return proxy as ProxyOptions
  }

  get isDue(): boolean {
    const { integrateEveryMs = 1000 } = this.#parts
    if (integrateEveryMs === 0 || this.#decided === 0) return false
    return this.#clock.monotonic() - this.#integratedAt >= integrateEveryMs
  }

  async integrate(): Promise<Awaited<ReturnType<Kernel['integrate']>>> {
    this.#integratedAt = this.#clock.monotonic()
    this.#decided = 0
    return (await this.#opened()).kernel.integrate()
  }

  async close(): Promise<void> {
    const opened = await this.#opening?.catch(() => undefined)
    await opened?.kernel.close()
  }
}

/** All or nothing. */
async function open(parts: LambdaParts, clock: Clock): Promise<Opened> {
  const { limits, logKey = 'log', origin } = parts
  const closing: { close(): Promise<unknown> }[] = []
  try {
    const [pair, custody] = await Promise.all([parts.store(), parts.custody()])
    closing.push(pair.log, pair.store, custody)
    const { bundle, engine } = policiesOf(parts.policies)
    const opa = parts.opa?.(pair.store)
    const plugins = opa === undefined ? parts.plugins : [...parts.plugins, opa.plugin]
    const kernel = await createKernel({
      ...{ ...pair, clock, custody, engine, logKey, origin, plugins },
      development: bundle.release === undefined,
      limits: { mergeMs: 0, ...limits },
      ...(opa && { outbound: [opa.desk.outbound] }),
    })
    closing.splice(0, Number.POSITIVE_INFINITY, kernel)
    if (bundle.release !== undefined) checkHistory(bundle.release, await lastRelease(pair.store))
    opa?.desk.serve(kernel)
    await (opa?.desk ?? kernel).activate(bundle)
    return { kernel, proxy: await parts.http?.(kernel, clock, opa?.desk) }
  } catch (error) {
    for (const each of closing) await each.close().catch(() => undefined)
    throw error
  }
}

/** Compiled when the package was made. The plan and the WebAssembly module stayed there. */
function policiesOf({ made, policies }: PackagedPolicies): {
  bundle: ServedBundle
  engine: KernelOptions['engine']
} {
  const { bundle, plan } = policies
  const packed = { plan, made: made as ModuleFunction }
  const engine = createJitEngine({ checkInputs: false, packed })
  return { bundle: { ...bundle, plan: null, wasm: new Uint8Array() }, engine }
}

function routerOf(routes: readonly AuthorizerRoute[]): AuthorizerOptions['router'] {
  const find = createFinder(routes)
  return (method, path) => find(method, '', readTarget(path))
}

/** For `authorizer.identify`: bearer tokens and those of issuers, as the HTTP transport takes them. @throws TransportError `invalid_options` */
export function identifyBy(auth: AuthOption): Identify {
  let opening: Promise<Authenticator> | undefined
  return async (lines) => {
    opening ??= Authenticator.open(auth, { clock: systemClock })
    const headers = new Headers()
    for (const [name, values] of lines) for (const value of values) headers.append(name, value)
    const request = new Request('https://lambda.invalid/', { headers })
    return (await (await opening).identify(new WebCall(request, '/', 0))).peer
  }
}

export interface HttpRouteOptions
  extends Omit<
    AppOptions,
    'audit' | 'auth' | 'clock' | 'explain' | 'opa' | 'operations' | 'realm'
  > {
  /** Who may ask; `{ kind: 'platform' }` is whom AWS authenticated by IAM. Nobody is let in who is not named here. */
  readonly auth: AuthOption
}

/** OPA policies among the packaged ones, and the documents that callers push into their place. */
export function opaPolicies(): OpaPart {
  return (store) => {
    const desk = new OpaDesk(async () => store)
    return { desk, plugin: createOpa(() => desk.served) as Plugin }
  }
}

/** AuthZEN, decisions, OPA's Data API where there are {@link opaPolicies}, receipts and the log's tiles for proxy events, function URLs and load balancers. */
export function httpRoutes({ auth, ...options }: HttpRouteOptions): HttpPart {
  return async (kernel, clock, opa) => {
    const opened = await Authenticator.open(auth, { clock })
    const app = createApp(kernel, { ...options, auth: opened, clock, ...(opa && { opa }) })
    return { fetch: (request, platform) => app.fetch(request, platform) }
  }
}
