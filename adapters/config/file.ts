/** A configuration file's content, as written: every member may be missing. `schema.ts` says the same to who reads one. */
import type { Json } from '../../core/json.ts'
import type { CellsConfig } from './cells.ts'
import type { CustodyConfigOf } from './custody.ts'
import type { ForwardAuthConfig } from './forward-auth.ts'
import type { OpaConfig } from './opa.ts'
import type { ExportConfig, LogConfig, TelemetryConfig } from './operations.ts'
import type { BundleConfig, FolderConfig } from './policies.ts'
import type { SecretsConfig } from './secrets.ts'
import type { RateLimitConfig, SecureConfig } from './secure.ts'
import type { OwnStoreConfig } from './store.ts'

/** `kind` of an adapter that is not built in: an npm package's name, or a path that begins with `.` or `/`. */
export interface ForeignAdapter {
  readonly kind: string
  readonly options?: Readonly<Record<string, Json>>
}
export type StoreConfig = OwnStoreConfig | ForeignAdapter
export type CustodyConfig = CustodyConfigOf<ForeignAdapter>
export type EngineConfig =
  | {
      readonly kind: 'both' | 'jit' | 'wasm'
      readonly maxSteps?: number
      readonly isolation?: 'worker'
      readonly deadlineMs?: number
    }
  | ForeignAdapter
export type CompilerConfig =
  | { readonly kind: 'opa'; readonly deadlineMs?: number; readonly compiled?: string }
  | ForeignAdapter

export interface PluginConfig {
  readonly name: string
  readonly isolation?: 'none' | 'worker'
  readonly deadlineMs?: number
}
export interface HttpConfig extends SecureConfig {
  readonly host?: string
  readonly port?: number
  readonly publicUrl?: string
  readonly maxBodyBytes?: number
  readonly requestTimeoutMs?: number
  readonly maxConcurrent?: number
  readonly maxConnections?: number
  readonly evaluationsMax?: number
  readonly forwardAuth?: ForwardAuthConfig
}
export interface AuditConfig {
  readonly sweepMinutes?: number
  readonly explain?: boolean
}
export interface LimitsConfig {
  readonly maxInFlight?: number
  readonly maxGroup?: number
  readonly timeoutMs?: number
  readonly maxDecisionAgeMs?: number
  readonly clockToleranceMs?: number
  readonly searchBudget?: number
  readonly maxSearches?: number
}
/** What each of several logs in one process has of its own. */
type OwnMember =
  | keyof CellsConfig
  | 'audit'
  | 'custody'
  | 'data'
  | 'export'
  | 'limits'
  | 'opa'
  | 'origin'
  | 'outbound'
  | 'plugins'
  | 'policies'
  | 'seal'
  | 'secrets'
  | 'state'
  | 'store'
export interface RealmConfig extends Pick<ConfigFile, OwnMember> {
  readonly rateLimit?: RateLimitConfig
}
/** A configuration file's content, as written. */
export interface ConfigFile extends CellsConfig {
  readonly origin?: string
  readonly data?: string
  readonly store?: StoreConfig
  readonly custody?: CustodyConfig
  readonly secrets?: SecretsConfig
  readonly engine?: EngineConfig
  readonly compiler?: CompilerConfig
  readonly policies?: BundleConfig | FolderConfig | string
  readonly opa?: OpaConfig
  readonly plugins?: readonly (string | PluginConfig)[]
  readonly outbound?: readonly ForeignAdapter[]
  readonly state?: string
  readonly http?: HttpConfig
  readonly realms?: Readonly<Record<string, RealmConfig>>
  readonly seal?: 'durable' | 'sealed'
  readonly limits?: LimitsConfig
  readonly telemetry?: TelemetryConfig
  readonly log?: LogConfig
  readonly export?: readonly ExportConfig[]
  readonly audit?: AuditConfig
  readonly watchdogSeconds?: number
}
