/** What a configuration file says about where records and the log are kept. For a table the SDK's own chain finds credentials. */
import { resolve } from 'node:path'
import { z } from 'zod'

export interface SqliteStoreConfig {
  readonly kind: 'sqlite'
  readonly path?: string
  readonly integrity?: 'full' | 'quick'
}
export interface MemoryStoreConfig {
  readonly kind: 'memory'
}
/** Where tiles and checkpoints are published besides: a bucket that anybody can be given. */
export interface PublishConfig {
  readonly kind: 's3'
  readonly bucket: string
  readonly region: string
  readonly endpoint?: string
  readonly prefix?: string
  readonly credentialsFile?: string
}
export interface DynamoStoreConfig {
  readonly kind: 'dynamodb'
  readonly table: string
  readonly region: string
  readonly endpoint?: string
  readonly prefix?: string
  readonly timeoutMs?: number
  readonly publish?: PublishConfig
}
export type OwnStoreConfig = DynamoStoreConfig | MemoryStoreConfig | SqliteStoreConfig

/** With nothing left open; paths are absolute. */
export type OwnStore =
  | Required<SqliteStoreConfig>
  | MemoryStoreConfig
  | (DynamoStoreConfig & { readonly prefix: string })

export const STORES: readonly string[] = ['sqlite', 'memory', 'dynamodb']

const path = z.string().min(1).max(4096)
const region = z.string().regex(/^[a-z0-9-]{1,64}$/)
const endpoint = z.url({ protocol: /^https?$/ }).describe("Default: AWS's own of the region")

const sqlite: z.ZodType<SqliteStoreConfig> = z.strictObject({
  kind: z.literal('sqlite'),
  path: path.describe('Default: assay.db in the data folder').exactOptional(),
  integrity: z
    .enum(['quick', 'full'])
    .describe('How thoroughly the file is checked at start')
    .exactOptional(),
})
const memory: z.ZodType<MemoryStoreConfig> = z.strictObject({
  kind: z
    .literal('memory')
    .describe('Nothing survives the process, its log key neither: for tests'),
})
const publish: z.ZodType<PublishConfig> = z.strictObject({
  kind: z.literal('s3'),
  bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
  region,
  endpoint: endpoint.exactOptional(),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9._-]+(?:\/[A-Za-z0-9._-]+)*$/)
    .max(512)
    .describe('Begins the name of every object')
    .exactOptional(),
  credentialsFile: path
    .describe('JSON: accessKeyId, secretAccessKey, sessionToken; read for each request')
    .exactOptional(),
})
const dynamodb: z.ZodType<DynamoStoreConfig> = z.strictObject({
  kind: z.literal('dynamodb'),
  table: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{3,255}$/)
    .describe('Made by `assay store init`'),
  region,
  endpoint: endpoint.exactOptional(),
  prefix: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/)
    .describe('Begins every key there, so that several logs can share a table; default assay')
    .exactOptional(),
  timeoutMs: z
    .int()
    .min(100)
    .max(60_000)
    .describe('Milliseconds for one call, its repetitions included; default 5000')
    .exactOptional(),
  publish: publish.describe('Tiles and checkpoints for everybody').exactOptional(),
})
/** One schema a kind. */
export const storeSchemas: readonly [
  z.ZodType<SqliteStoreConfig>,
  z.ZodType<MemoryStoreConfig>,
  z.ZodType<DynamoStoreConfig>,
] = [sqlite, memory, dynamodb]

/** @param data the data folder, and `at` makes a path absolute */
export function completeOwnStore(
  store: OwnStoreConfig,
  data: string,
  at: (path: string) => string,
): OwnStore {
  if (store.kind === 'memory') return { kind: 'memory' }
  if (store.kind === 'sqlite') {
    const { integrity = 'quick', path } = store
    return {
      kind: 'sqlite',
      path: path === undefined ? resolve(data, 'assay.db') : at(path),
      integrity,
    }
  }
  const { prefix = 'assay', publish, ...rest } = store
  if (publish?.credentialsFile === undefined)
    return { ...rest, prefix, ...(publish === undefined ? {} : { publish }) }
  return { ...rest, prefix, publish: { ...publish, credentialsFile: at(publish.credentialsFile) } }
}

/** What two logs must not have in common: where each is kept. None for what ends with the process. */
export function storePlaces(store: OwnStore | { readonly kind: 'foreign' }): readonly string[] {
  if (store.kind === 'sqlite') return [store.path]
  if (store.kind !== 'dynamodb') return []
  const { endpoint = '', prefix, region, table } = store
  return [JSON.stringify([region, endpoint, table, prefix])]
}
