/** What a configuration file says about leases and tokens: the cells whose keys are kept here, who else keeps some, and whose signature counts. */
import { z } from 'zod'
import { ConfigError } from '../../core/error.ts'

export interface DriverConfig {
  readonly url: string
  readonly timeoutMs?: number
  readonly tokenFile?: string
}
/** A cell whose identity key is in this custody. */
export interface CellConfig {
  readonly resources?: readonly string[]
  readonly driver: 'none' | DriverConfig
}
/** Another kernel with cells of its own. */
export interface PeerConfig {
  /** The cell's identity key, enrolled at start. */
  readonly key: string
  readonly url: string
  readonly tokenFile?: string
  readonly caFile?: string
}
export interface DatagramConfig {
  readonly host?: string
  readonly port: number
}
/** The members that {@link ConfigFile} has of these. */
export interface CellsConfig {
  readonly cells?: Readonly<Record<string, CellConfig>>
  readonly controller?: string
  readonly tenants?: Readonly<Record<string, string>>
  readonly peers?: Readonly<Record<string, PeerConfig>>
  readonly datagrams?: DatagramConfig
  readonly pullMs?: number
}

/** With nothing left open; paths are absolute. */
export interface Cells {
  readonly cells: Readonly<Record<string, CellPlace>>
  /** `own`: its key is kept here. Otherwise a public key; undefined where none is pinned. */
  readonly controller?: string
  /** Tenants registered at start: `own`, or a public key. */
  readonly tenants: Readonly<Record<string, string>>
  readonly peers: Readonly<Record<string, PeerConfig>>
  readonly datagrams?: { readonly host: string; readonly port: number }
  readonly pullMs: number
}
export interface CellPlace {
  readonly resources: readonly string[]
  readonly driver: 'none' | DriverConfig
}

const path = z.string().min(1).max(4096)
const cellName = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
const resourceName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/)
const httpUrl = z.url({ protocol: /^https?$/ })
const tokenFile = path.describe('A bearer token, sent with each request').exactOptional()

/** 32 bytes of an Ed25519 key in base64, as `assay key` prints it, or in base64url. */
const publicKeySchema = z.string().regex(/^(?:[A-Za-z0-9+/]{43}=|[A-Za-z0-9_-]{43})$/)
/** "own": the key is made and kept here. Or a public key. */
export const ownOrPublicSchema: z.ZodType<string> = z.union([z.literal('own'), publicKeySchema])

const driver = z.union([
  z.literal('none').describe('There is no data plane: nothing has to be torn down'),
  z.strictObject({
    url: httpUrl.describe('Where the resource driver is asked to tear down and to reset'),
    timeoutMs: z
      .int()
      .min(1)
      .max(25_000)
      .describe('For all attempts together; default 10,000 milliseconds')
      .exactOptional(),
    tokenFile,
  }),
])
export const cellsSchema: z.ZodType<NonNullable<CellsConfig['cells']>> = z
  .record(
    cellName,
    z.strictObject({
      resources: z.array(resourceName).max(1024).describe('Added at start').exactOptional(),
      driver,
    }),
  )
  .describe('Cells whose identity keys are kept here, made at first start')
export const tenantsSchema: z.ZodType<NonNullable<CellsConfig['tenants']>> = z
  .record(cellName, ownOrPublicSchema)
  .describe('Tenants registered at start')
export const peersSchema: z.ZodType<NonNullable<CellsConfig['peers']>> = z
  .record(
    cellName,
    z.strictObject({
      key: publicKeySchema.describe("The cell's identity key, enrolled at start"),
      url: httpUrl.describe('Of its HTTP transport'),
      tokenFile,
      caFile: path
        .describe('Certificates that its TLS certificate is checked with')
        .exactOptional(),
    }),
  )
  .describe('Cells kept by other kernels: told of revocations, and asked for theirs')
export const datagramsSchema: z.ZodType<DatagramConfig> = z
  .strictObject({
    host: z.string().min(1).max(255).describe('Default 127.0.0.1').exactOptional(),
    port: z.int().min(0).max(65_535),
  })
  .describe('Signed messages are taken over UDP too; nothing is answered')
export const pullMsSchema: z.ZodType<number> = z
  .int()
  .min(100)
  .max(8000)
  .describe("How often each peer's revocations are fetched; default 2,000 milliseconds")

const DRIVER_TIMEOUT_MS = 10_000
/** What there is without a configuration file: something to lease, and somebody who may. */
export const EXAMPLE_CELLS: CellsConfig = {
  cells: { 'cell-local': { driver: 'none', resources: ['gpu-0'] } },
  controller: 'own',
  tenants: { demo: 'own' },
}

/** @throws ConfigError `invalid_config`: a cell is kept here and by a peer */
export function completeCells(written: CellsConfig, at: (path: string) => string): Cells {
  const { cells = {}, controller, datagrams, peers = {}, pullMs = 2000, tenants = {} } = written
  const both = Object.keys(cells).find((cell) => Object.hasOwn(peers, cell))
  if (both !== undefined)
    throw new ConfigError('invalid_config', `the cell ${both} is kept here, and by a peer`)
  return {
    cells: mapped(cells, ({ driver, resources = [] }) => ({
      resources,
      driver: driver === 'none' ? driver : completeDriver(driver, at),
    })),
    ...(controller === undefined ? {} : { controller }),
    tenants,
    peers: mapped(peers, ({ key, url, ...files }) => ({ key, url, ...absolute(files, at) })),
    ...(datagrams === undefined ? {} : { datagrams: { host: '127.0.0.1', ...datagrams } }),
    pullMs,
  }
}

function completeDriver(
  { url, timeoutMs = DRIVER_TIMEOUT_MS, ...files }: DriverConfig,
  at: (path: string) => string,
): DriverConfig {
  return { url, timeoutMs, ...absolute(files, at) }
}

function absolute<Files extends object>(files: Files, at: (path: string) => string): Files {
  return mapped(files as Readonly<Record<string, string>>, at) as Files
}

function mapped<A, B>(record: Readonly<Record<string, A>>, of: (value: A) => B): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([name, value]) => [name, of(value)]))
}
