/**
 * A configuration with nothing left open: what a file may leave out has its default here, and every path is absolute.
 */
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Json } from '../../core/json.ts'
import { type Cells, completeCells, EXAMPLE_CELLS } from './cells.ts'
import {
  type CustodyPlace,
  checkScopes,
  completeOwn,
  keyPlaces,
  type OwnCustody,
  type OwnCustodyConfig,
} from './custody.ts'
import type {
  AuditConfig,
  CompilerConfig,
  ConfigFile,
  CustodyConfig,
  EngineConfig,
  ForeignAdapter,
  HttpConfig,
  LimitsConfig,
  PluginConfig,
  StoreConfig,
} from './file.ts'
import { completeOpa, type OpaPlace } from './opa.ts'
import { completeOperations, type OperationsConfig } from './operations.ts'
import { completePolicies, type PoliciesPlace } from './policies.ts'
import { checkRealms, realmFile, realmFolder } from './realms.ts'
import { BUILT_IN } from './schema.ts'
import { completeSecrets, type SecretsPlace } from './secrets.ts'
import { completeSecure } from './secure.ts'
import { completeOwnStore, type OwnStore } from './store.ts'

/** An adapter of somebody else: an npm package's name, or an absolute path. */
export interface Foreign {
  readonly kind: 'foreign'
  readonly specifier: string
  readonly options: Readonly<Record<string, Json>>
}
/** An engine that is built in. */
export interface OwnEngine {
  readonly kind: 'both' | 'jit' | 'wasm'
  /** Undefined: what each engine takes by itself. */
  readonly maxSteps?: number
  readonly isolation: 'none' | 'worker'
  readonly deadlineMs: number
}
export interface PluginChoice {
  /** A built-in plugin's name, an npm package's name, or an absolute path. */
  readonly name: string
  readonly isolation: 'none' | 'worker'
  readonly deadlineMs: number
}

/** A configuration with nothing left open. Paths are absolute. */
export interface Config extends Cells {
  /** The file it came from; undefined for the embedded defaults. */
  readonly file?: string
  /** Where npm package names are looked up from. */
  readonly folder: string
  readonly data: string
  readonly origin?: string
  readonly store: OwnStore | Foreign
  readonly custody: CustodyPlace<Foreign>
  /** Undefined: there is no place for any. */
  readonly secrets?: SecretsPlace
  readonly engine: OwnEngine | Foreign
  readonly compiler:
    | { readonly kind: 'opa'; readonly deadlineMs: number; readonly compiled: string }
    | Foreign
  readonly policies: PoliciesPlace
  readonly opa?: OpaPlace
  readonly plugins: readonly PluginChoice[]
  readonly outbound: readonly Foreign[]
  readonly state?: string
  readonly http: HttpConfig & { readonly host: string; readonly port: number }
  readonly seal: 'durable' | 'sealed'
  readonly limits: LimitsConfig
  readonly audit: { readonly sweepMinutes: number; readonly explain: boolean }
  readonly operations: OperationsConfig
  /** By name. They have none of their own. */
  readonly realms: Readonly<Record<string, Config>>
  readonly watchdogSeconds: number
}

const DEADLINE_MS = 5000
const DEFAULT_PLUGINS: readonly string[] = BUILT_IN.plugins
/** The package's own Rego, in a checkout and in `dist`. */
export const OWN_POLICIES: string = fileURLToPath(
  new URL(
    import.meta.url.endsWith('.ts') ? '../../policies' : '../../../policies',
    import.meta.url,
  ),
)
/** Subjects and resources to try things out with: what there is without a configuration file. */
export const EXAMPLE_STATE: string = fileURLToPath(new URL('./example-state.json', import.meta.url))

/** What the command line says, before the file. */
interface Places {
  readonly compiled?: string | undefined
  readonly data?: string | undefined
}

export function complete(
  written: ConfigFile,
  file: string | undefined,
  { compiled, data: dataOption }: Places = {},
): Config {
  const folder = file === undefined ? process.cwd() : dirname(file)
  const at: At = (path) => resolve(folder, path)
  const fromFile = written.data === undefined ? resolve('.assay') : at(written.data)
  const data = dataOption === undefined ? fromFile : resolve(dataOption)
  const ownState = written.state === undefined ? undefined : at(written.state)
  const state = file === undefined ? EXAMPLE_STATE : ownState
  const { host = '127.0.0.1', port = 8180 } = written.http ?? {}
  const custody = completeCustody(written.custody, data, at)
  const config: Config = {
    ...(file === undefined ? {} : { file }),
    folder,
    data,
    ...(written.origin === undefined ? {} : { origin: written.origin }),
    store: completeStore(written.store, data, at),
    custody,
    ...completeSecrets(written.secrets, resolve(data, 'secrets'), keyPlaces(custody), at),
    engine: completeEngine(written.engine, at),
    compiler: completeCompiler(written.compiler, compiled ?? resolve(data, 'compiled'), at),
    policies: completePolicies(written.policies, at, OWN_POLICIES),
    ...completeOpa(written.opa, at),
    plugins: (written.plugins ?? DEFAULT_PLUGINS).map((choice) => completePlugin(choice, at)),
    outbound: (written.outbound ?? []).map((adapter) => foreign(adapter, at)),
    ...(state === undefined ? {} : { state }),
    http: { ...written.http, ...completeSecure(written.http ?? {}, at), host, port },
    // A table that many write to gives a decision its place later.
    seal: written.seal ?? (written.store?.kind === 'dynamodb' ? 'durable' : 'sealed'),
    limits: written.limits ?? {},
    audit: completeAudit(written.audit),
    operations: completeOperations(written, folder),
    watchdogSeconds: written.watchdogSeconds ?? 30,
    realms: completeRealms(written, file, data),
    ...completeCells(file === undefined ? EXAMPLE_CELLS : written, at),
  }
  checkRealms(config, written)
  return config
}

function completeAudit({ explain = false, sweepMinutes = 60 }: AuditConfig = {}): Config['audit'] {
  return { sweepMinutes, explain }
}

function completeRealms(
  written: ConfigFile,
  file: string | undefined,
  data: string,
): Config['realms'] {
  const realms = Object.entries(written.realms ?? {}).map(([name, realm]) => {
    const place = realm.data === undefined ? realmFolder(data, name) : undefined
    return [name, complete(realmFile(written, realm), file, { data: place })] as const
  })
  return Object.fromEntries(realms)
}

function completePlugin(choice: PluginConfig | string, at: At): PluginChoice {
  const {
    name,
    isolation = 'none',
    deadlineMs = DEADLINE_MS,
  } = typeof choice === 'string' ? { name: choice } : choice
  return { name: specifier(name, at), isolation, deadlineMs }
}

type At = (path: string) => string
const specifier = (name: string, at: At): string => (/^\.{0,2}\//.test(name) ? at(name) : name)
const foreign = ({ kind, options = {} }: ForeignAdapter, at: At): Foreign => ({
  kind: 'foreign',
  specifier: specifier(kind, at),
  options,
})

/** A foreign kind may be any string, so the compiler cannot tell the alternatives apart by `kind` alone. */
function isForeign(
  port: keyof typeof BUILT_IN,
  adapter: { kind: string },
): adapter is ForeignAdapter {
  return !BUILT_IN[port].includes(adapter.kind)
}

function completeStore(
  store: StoreConfig = { kind: 'sqlite' },
  data: string,
  at: At,
): Config['store'] {
  if (isForeign('store', store)) return foreign(store, at)
  return completeOwnStore(store, data, at)
}

function completeCustody(
  custody: CustodyConfig = { kind: 'file' },
  data: string,
  at: At,
): Config['custody'] {
  const one = (choice: ForeignAdapter | OwnCustodyConfig): Foreign | OwnCustody =>
    isForeign('custody', choice)
      ? foreign(choice, at)
      : completeOwn(choice as OwnCustodyConfig, resolve(data, 'keys'), at)
  if (!Array.isArray(custody)) return one(custody as ForeignAdapter | OwnCustodyConfig)
  const parts = custody.map(({ scopes, ...choice }) => ({ scopes, custody: one(choice) }))
  checkScopes(parts)
  return { kind: 'scoped', parts }
}

function completeEngine(engine: EngineConfig = { kind: 'jit' }, at: At): Config['engine'] {
  if (isForeign('engine', engine)) return foreign(engine, at)
  const { isolation = 'none', deadlineMs = DEADLINE_MS, kind, maxSteps } = engine
  return { kind, isolation, deadlineMs, ...(maxSteps === undefined ? {} : { maxSteps }) }
}

function completeCompiler(
  compiler: CompilerConfig = { kind: 'opa' },
  usually: string,
  at: At,
): Config['compiler'] {
  if (isForeign('compiler', compiler)) return foreign(compiler, at)
  const compiled = compiler.compiled === undefined ? usually : at(compiler.compiled)
  return { kind: 'opa', deadlineMs: compiler.deadlineMs ?? 120_000, compiled }
}
