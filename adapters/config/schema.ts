/**
 * What a configuration file may say: one closed schema (zod 4), published as JSON Schema 2020-12 in docs/config.schema.json. Every
 * member is optional and every default is written down in `complete.ts`. Nothing here reads a file.
 */
import { z } from 'zod'
import {
  cellsSchema,
  datagramsSchema,
  ownOrPublicSchema,
  peersSchema,
  pullMsSchema,
  tenantsSchema,
} from './cells.ts'
import { CUSTODIES, custodySchema } from './custody.ts'
import type { ConfigFile } from './file.ts'
import { forwardAuthSchema } from './forward-auth.ts'
import { opaSchema } from './opa.ts'
import { exportSchema, logSchema, telemetrySchema } from './operations.ts'
import { policiesSchema } from './policies.ts'
import { secretsSchema } from './secrets.ts'
import {
  authSchema,
  corsSchema,
  openSchema,
  rateLimitSchema,
  realmName,
  tlsSchema,
  trustedProxiesSchema,
} from './secure.ts'
import { STORES, storeSchemas } from './store.ts'

/** The kinds that ship with Assay, by the member that names them. */
export const BUILT_IN: {
  readonly store: readonly string[]
  readonly custody: readonly string[]
  readonly engine: readonly string[]
  readonly compiler: readonly string[]
  readonly outbound: readonly string[]
  readonly plugins: readonly string[]
} = {
  store: STORES,
  custody: CUSTODIES,
  engine: ['jit', 'wasm', 'both'],
  compiler: ['opa'],
  outbound: [],
  plugins: [
    ...['access', 'announce', 'audit', 'bootstrap', 'capability'],
    ...['enrolment', 'lease', 'release', 'signer', 'task'],
  ],
}

const path = z.string().min(1).max(4096)
const whole = (min: number, max: number) => z.int().min(min).max(max)
const deadlineMs = whole(1, 600_000).describe('Milliseconds after which the worker is killed')
const foreign = (builtIn: readonly string[]) =>
  z.strictObject({
    kind: z
      .string()
      .regex(
        new RegExp(
          `^(?!(?:${builtIn.join('|')})$)(?:\\.{0,2}/.+|(?:@[a-z0-9][a-z0-9._-]*/)?[a-z0-9][a-z0-9._-]*)$`,
        ),
        // Else a built-in kind with a mistake counts as a foreign one with a wrong name.
        { abort: true },
      )
      .describe('An npm package name, or a path that begins with ./, ../ or /'),
    options: z.record(z.string(), z.json()).exactOptional(),
  })

const store = z.union([...storeSchemas, foreign(BUILT_IN.store)])
const custody = custodySchema(foreign(BUILT_IN.custody))
const engine = z.union([
  z.strictObject({
    kind: z
      .enum(['jit', 'wasm', 'both'])
      .describe(
        "OPA's plan compiled to JavaScript (default), OPA's WebAssembly, or both: what only one of them says is denied",
      ),
    maxSteps: whole(1000, 1_000_000_000_000)
      .describe('Steps that one evaluation may take; beyond it, the decision is a denial')
      .exactOptional(),
    isolation: z
      .literal('worker')
      .describe('Evaluate in a worker that is killed at its deadline')
      .exactOptional(),
    deadlineMs: deadlineMs.exactOptional(),
  }),
  foreign(BUILT_IN.engine),
])
const compiler = z.union([
  z.strictObject({
    kind: z.literal('opa'),
    deadlineMs: deadlineMs.exactOptional(),
    compiled: path
      .describe(
        'A folder that keeps compiled policies for the next start; default: compiled in the data folder',
      )
      .exactOptional(),
  }),
  foreign(BUILT_IN.compiler),
])
const pluginName = z.string().min(1).max(256)
const plugin = z.union([
  pluginName,
  z.strictObject({
    name: pluginName,
    isolation: z
      .enum(['none', 'worker'])
      .describe('worker: its facts and candidates come from a worker without store or custody')
      .exactOptional(),
    deadlineMs: deadlineMs.exactOptional(),
  }),
])
const http = z.strictObject({
  host: z.string().min(1).max(255).describe('Default 127.0.0.1').exactOptional(),
  port: whole(0, 65_535).describe('Default 8180; 0 picks a free one').exactOptional(),
  publicUrl: z.url().exactOptional(),
  tls: tlsSchema.exactOptional(),
  auth: authSchema.exactOptional(),
  allowNonLoopback: z
    .boolean()
    .describe('Serve without authentication beyond this machine')
    .exactOptional(),
  allowPlainHttp: z
    .boolean()
    .describe('Take tokens without TLS beyond this machine')
    .exactOptional(),
  open: openSchema.exactOptional(),
  rateLimit: rateLimitSchema.exactOptional(),
  trustedProxies: trustedProxiesSchema.exactOptional(),
  cors: corsSchema.exactOptional(),
  maxBodyBytes: whole(1, 16_777_216).exactOptional(),
  requestTimeoutMs: whole(1, 600_000).exactOptional(),
  maxConcurrent: whole(1, 1_000_000).exactOptional(),
  maxConnections: whole(1, 1_000_000)
    .describe('Open connections; a further one is closed at once; default 4096')
    .exactOptional(),
  evaluationsMax: whole(1, 400).exactOptional(),
  forwardAuth: forwardAuthSchema.exactOptional(),
})
const audit = z.strictObject({
  sweepMinutes: whole(0, 10_080)
    .describe(
      'How often openings that were kept for long enough are erased; default 60, 0 is never',
    )
    .exactOptional(),
  explain: z
    .boolean()
    .describe(
      'Say why over HTTP, to whoever may open all of a decision; it shows rules and policy data; default false',
    )
    .exactOptional(),
})
const limits = z.strictObject({
  maxInFlight: whole(1, 1_000_000).exactOptional(),
  maxGroup: whole(1, 4096).exactOptional(),
  timeoutMs: whole(1, 60_000).exactOptional(),
  maxDecisionAgeMs: whole(1, 60_000).exactOptional(),
  clockToleranceMs: whole(0, 600_000).exactOptional(),
  mergeMs: whole(0, 60_000)
    .describe(
      'DynamoDB: between two rounds that give leaves their places; default 200; 0: no timer',
    )
    .exactOptional(),
  maxMergeDelayMs: whole(1000, 86_400_000)
    .describe('DynamoDB: leaves that wait for longer make the server unready; default 60,000')
    .exactOptional(),
  searchBudget: whole(1, 1_000_000)
    .describe('Candidates that one search, or one page of it, may look at; default 10,000')
    .exactOptional(),
  maxSearches: whole(1, 1024).describe('Searches at the same time; default 4').exactOptional(),
})

/** Of the server's own log, and of each realm's. */
const own = {
  origin: z
    .string()
    .regex(/^[^\s+]{1,255}$/)
    .describe("The log's name, for example log.example.com/assay; derived from its key by default")
    .exactOptional(),
  data: path.describe('The data folder; --data wins').exactOptional(),
  store: store.exactOptional(),
  custody: custody.exactOptional(),
  secrets: secretsSchema.exactOptional(),
  policies: policiesSchema.describe('A folder of Rego, or signed bundles').exactOptional(),
  opa: opaSchema.exactOptional(),
  plugins: z
    .array(plugin)
    .min(1)
    .max(64)
    .describe('Built-in names, npm package names, or paths that begin with ./, ../ or /')
    .exactOptional(),
  outbound: z.array(foreign(BUILT_IN.outbound)).max(64).exactOptional(),
  state: path.describe('Dispatched once as access.import when the log is empty').exactOptional(),
  seal: z
    .enum(['durable', 'sealed'])
    .describe('What a caller waits for when the request does not say; default sealed')
    .exactOptional(),
  limits: limits.exactOptional(),
  audit: audit.exactOptional(),
  export: exportSchema.exactOptional(),
  cells: cellsSchema.exactOptional(),
  controller: ownOrPublicSchema
    .describe('Whose signed messages count, pinned at start')
    .exactOptional(),
  tenants: tenantsSchema.exactOptional(),
  peers: peersSchema.exactOptional(),
  datagrams: datagramsSchema.exactOptional(),
  pullMs: pullMsSchema.exactOptional(),
}
const realm = z.strictObject({
  ...own,
  data: path.describe('Default: realms/NAME in the data folder').exactOptional(),
  rateLimit: rateLimitSchema.describe('Default: that of http').exactOptional(),
})

export const configSchema: z.ZodType<ConfigFile> = z
  .strictObject({
    ...own,
    engine: engine.exactOptional(),
    compiler: compiler.exactOptional(),
    http: http.exactOptional(),
    realms: z
      .record(realmName, realm)
      .describe('Each with a log, keys and policies of its own, served under /realms/NAME')
      .exactOptional(),
    telemetry: telemetrySchema.exactOptional(),
    log: logSchema.exactOptional(),
    watchdogSeconds: whole(0, 3600)
      .describe('The process exits with 70 when it is blocked for longer; default 30, 0 is off')
      .exactOptional(),
  })
  .meta({
    title: 'Assay configuration',
    description: 'One YAML or JSON file. Paths are relative to it.',
  })

/** The schema as JSON Schema 2020-12, for editors. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  return z.toJSONSchema(configSchema, { target: 'draft-2020-12', io: 'input' })
}

/** The text of docs/config.schema.json. */
export function configSchemaText(): string {
  const { $schema, ...rest } = configJsonSchema()
  const comment = 'Generated by scripts/make-config-schema.ts: do not edit.'
  return `${JSON.stringify({ $schema, $comment: comment, ...rest }, undefined, 2)}\n`
}
