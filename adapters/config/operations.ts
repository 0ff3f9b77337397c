/** The part of a configuration that is about running the server: metrics, traces, log lines, and exporters of the decision log. */
import { resolve } from 'node:path'
import { z } from 'zod'

export interface TelemetryConfig {
  readonly metrics?: boolean
  readonly traces?: boolean
}
export interface LogConfig {
  readonly level?: 'debug' | 'error' | 'info' | 'warn'
  readonly format?: 'json' | 'text'
  readonly requests?: boolean
}
export interface ExportConfig {
  readonly kind: 'opa-logs' | 'otlp'
  readonly name?: string
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly bearerTokenFile?: string
  readonly labels?: Readonly<Record<string, string>>
  readonly openings?: readonly string[]
  readonly mask?: string
  readonly batch?: {
    readonly maxEvents?: number
    readonly delayMs?: number
    readonly timeoutMs?: number
  }
}

const whole = (min: number, max: number) => z.int().min(min).max(max)
const path = z.string().min(1).max(4096)

export const telemetrySchema: z.ZodType<TelemetryConfig> = z.strictObject({
  metrics: z
    .boolean()
    .describe('GET /metrics; default: unless strangers are served without authentication')
    .exactOptional(),
  traces: z
    .boolean()
    .describe('Spans through the OpenTelemetry API, where an SDK is registered; default true')
    .exactOptional(),
})

export const logSchema: z.ZodType<LogConfig> = z
  .strictObject({
    level: z.enum(['error', 'warn', 'info', 'debug']).describe('Default info').exactOptional(),
    format: z.enum(['json', 'text']).describe('Default json').exactOptional(),
    requests: z.boolean().describe('A line for each request; default true').exactOptional(),
  })
  .describe('Lines about the server on standard error; without it there are none')

const exporter = z.strictObject({
  kind: z.enum(['opa-logs', 'otlp']),
  name: z
    .string()
    .regex(/^[a-z0-9][a-z0-9-]{0,62}$/)
    .describe('Its place in the log is kept under this name; default: its kind')
    .exactOptional(),
  url: z
    .url({ protocol: /^https?$/ })
    .describe(
      'opa-logs: the service, /logs is added; otlp: the whole endpoint, such as .../v1/logs',
    ),
  headers: z.record(z.string().regex(/^[A-Za-z0-9-]+$/), z.string().max(4096)).exactOptional(),
  bearerTokenFile: path.describe('Read again for each batch').exactOptional(),
  labels: z.record(z.string().min(1).max(128), z.string().max(1024)).exactOptional(),
  openings: z
    .array(z.string().regex(/^(?:request|payload|verdict|output|facts\.[A-Za-z0-9_.-]{1,64})$/))
    .max(64)
    .describe('What goes out beside the leaf; default none')
    .exactOptional(),
  mask: path.describe('A folder of Rego with system.log.mask and system.log.drop').exactOptional(),
  batch: z
    .strictObject({
      maxEvents: whole(1, 256).exactOptional(),
      delayMs: whole(10, 600_000).exactOptional(),
      timeoutMs: whole(100, 600_000).exactOptional(),
    })
    .exactOptional(),
})
export const exportSchema: z.ZodType<readonly ExportConfig[]> = z
  .array(exporter)
  .max(8)
  .refine((all) => new Set(all.map(({ kind, name = kind }) => name)).size === all.length, {
    message: 'two exporters have the same name',
  })
  .describe('Receivers of the decision log; each keeps its place and gets every decision')

/** What {@link completeOperations} leaves open in none of them. */
export interface OperationsConfig {
  readonly telemetry: { readonly metrics?: boolean; readonly traces: boolean }
  readonly log?: Required<LogConfig>
  readonly exports: readonly ExportChoice[]
}
export interface ExportChoice {
  readonly kind: 'opa-logs' | 'otlp'
  readonly name: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly bearerTokenFile?: string
  readonly labels: Readonly<Record<string, string>>
  readonly openings: readonly string[]
  readonly mask?: string
  readonly batch: {
    readonly maxEvents: number
    readonly delayMs: number
    readonly timeoutMs: number
  }
}

export function completeOperations(
  written: {
    readonly telemetry?: TelemetryConfig
    readonly log?: LogConfig
    readonly export?: readonly ExportConfig[]
  },
  folder: string,
): OperationsConfig {
  const { telemetry = {}, log } = written
  return {
    telemetry: { ...telemetry, traces: telemetry.traces ?? true },
    ...(log === undefined
      ? {}
      : { log: { level: 'info', format: 'json', requests: true, ...log } }),
    exports: (written.export ?? []).map((choice) => completeExport(choice, folder)),
  }
}

function completeExport(
  { bearerTokenFile, mask, ...rest }: ExportConfig,
  folder: string,
): ExportChoice {
  const { kind, name = kind, url, headers = {}, labels = {}, openings = [], batch } = rest
  const limits = { maxEvents: 256, delayMs: 1000, timeoutMs: 10_000, ...batch }
  return {
    kind,
    name,
    url,
    headers,
    labels,
    openings,
    batch: limits,
    ...(bearerTokenFile === undefined ? {} : { bearerTokenFile: resolve(folder, bearerTokenFile) }),
    ...(mask === undefined ? {} : { mask: resolve(folder, mask) }),
  }
}
