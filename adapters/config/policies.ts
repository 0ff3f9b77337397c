/** What a configuration file says about policies: a folder of Rego, or signed bundles from elsewhere. */
import { z } from 'zod'
import { TOKEN_ALGORITHMS, type TokenAlgorithm } from '../../formats/bundle/algorithms.ts'

export interface FolderConfig {
  readonly source: 'folder'
  readonly dir: string
  readonly watch?: boolean
  readonly capabilities?: 'compat' | 'trust'
  readonly shadow?: string
}
/** Where a bundle comes from: one of the four. */
export type FromConfig =
  | { readonly path: string }
  | {
      readonly url: string
      readonly tokenFile?: string
      readonly caFile?: string
      readonly longPollSeconds?: number
    }
  | { readonly s3: S3Config; readonly caFile?: string }
export interface S3Config {
  readonly bucket: string
  readonly key: string
  readonly region: string
  readonly endpoint?: string
  readonly credentialsFile?: string
}
export interface BundleConfig {
  readonly source: 'bundle'
  readonly from: FromConfig
  /** A trust anchor with `policyRoots`, in the place of `roots` and `threshold`. */
  readonly trust?: string
  readonly roots?: readonly string[]
  readonly threshold?: number
  readonly revoked?: readonly string[]
  readonly opaKey?: OpaKeyConfig
  readonly capabilities?: 'compat' | 'trust'
  readonly pollSeconds?: number
  readonly maxPollSeconds?: number
  readonly timeoutSeconds?: number
  readonly staleAfterSeconds?: number
  readonly maxBytes?: number
  readonly maxUnpackedBytes?: number
  readonly replayLast?: number
  readonly shadow?: string
}
export interface OpaKeyConfig {
  readonly file: string
  readonly algorithm: TokenAlgorithm
  readonly scope?: string
}

/** With nothing left open; paths are absolute. */
export interface BundlePlace {
  readonly from: FromConfig
  readonly trust:
    | { readonly file: string }
    | { readonly roots: readonly string[]; readonly threshold: number }
  readonly revoked: readonly string[]
  readonly opaKey?: OpaKeyConfig
  readonly poll: { readonly minMs: number; readonly maxMs: number }
  readonly timeoutMs: number
  readonly staleAfterMs: number
  readonly limits: { readonly maxBytes: number; readonly maxUnpackedBytes: number }
  /** Decisions of the log that a new bundle must decide as they were. */
  readonly replayLast: number
}
export interface PoliciesPlace {
  readonly source: 'bundle' | 'folder'
  /** Of a bundle's server: the package's own, which decide nothing there. */
  readonly dir: string
  readonly watch: boolean
  readonly capabilities: 'compat' | 'trust'
  readonly shadow?: string
  /** Where the source is `bundle`. */
  readonly bundle?: BundlePlace
}

const path = z.string().min(1).max(4096)
const whole = (min: number, max: number) => z.int().min(min).max(max)
const url = z.url({ protocol: /^https?$/ })
const vkey = z.string().regex(/^policy\/[^+\s]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]{44}$/)
const capabilities = z
  .enum(['trust', 'compat'])
  .describe('Which built-ins Rego may use; default trust')
const shadow = path.describe(
  'A second folder, asked what the first is asked; only the differences are logged',
)

/** A key for OPA's own signatures. */
export const opaKeySchema: z.ZodType<OpaKeyConfig> = z.strictObject({
  file: path.describe('PEM: a public key or a certificate'),
  algorithm: z.enum(TOKEN_ALGORITHMS),
  scope: z.string().min(1).max(256).exactOptional(),
})

const from = z.union([
  z.strictObject({ path: path.describe('An archive NAME.tar.gz, or a folder laid out like one') }),
  z.strictObject({
    url: url.describe("OPA's bundle service protocol"),
    tokenFile: path.describe('A bearer token, read for each request').exactOptional(),
    caFile: path.describe("PEM certificates in the place of the platform's").exactOptional(),
    longPollSeconds: whole(0, 600)
      .describe('How long the server may hold a question back; default 30')
      .exactOptional(),
  }),
  z.strictObject({
    s3: z.strictObject({
      bucket: z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/),
      key: z.string().min(1).max(1024),
      region: z.string().regex(/^[a-z0-9-]{1,64}$/),
      endpoint: url.describe('Of another service than AWS').exactOptional(),
      credentialsFile: path
        .describe('JSON: accessKeyId, secretAccessKey, sessionToken; read for each request')
        .exactOptional(),
    }),
    caFile: path.exactOptional(),
  }),
])

export const policiesSchema: z.ZodType<BundleConfig | FolderConfig | string> = z.union([
  path,
  z.strictObject({
    source: z.literal('folder').describe('Development mode: receipts are marked so'),
    dir: path,
    watch: z.boolean().describe('Recompile and swap when a file changes').exactOptional(),
    capabilities: capabilities.exactOptional(),
    shadow: shadow.exactOptional(),
  }),
  z
    .strictObject({
      source: z.literal('bundle').describe('Signed bundles only; see docs/bundles.md'),
      from,
      trust: path.describe('A trust anchor with policyRoots and policyThreshold').exactOptional(),
      roots: z
        .array(vkey)
        .min(1)
        .max(64)
        .describe('Policy keys, as assay policy sign tells them')
        .exactOptional(),
      threshold: whole(1, 64).describe('How many of roots must sign; default all').exactOptional(),
      revoked: z.array(vkey).max(1024).describe('Keys that count no more').exactOptional(),
      opaKey: opaKeySchema.describe("OPA's own signature is asked for as well").exactOptional(),
      capabilities: capabilities.exactOptional(),
      pollSeconds: whole(1, 86_400).describe('Between two questions; default 60').exactOptional(),
      maxPollSeconds: whole(1, 86_400).describe('After failures; default 300').exactOptional(),
      timeoutSeconds: whole(1, 600).describe('For one answer; default 30').exactOptional(),
      staleAfterSeconds: whole(1, 31_536_000)
        .describe('Without a word of the source, the policy counts as stale; default 3,600')
        .exactOptional(),
      maxBytes: whole(1024, 1_073_741_824).describe('Packed; default 64 MiB').exactOptional(),
      maxUnpackedBytes: whole(1024, 2_147_483_647).describe('Default 256 MiB').exactOptional(),
      replayLast: whole(0, 10_000)
        .describe('So many decisions of the log must come out as they did; default 0')
        .exactOptional(),
      shadow: shadow.exactOptional(),
    })
    .refine(({ roots, trust }) => (roots === undefined) !== (trust === undefined), {
      error: 'policy roots come from trust or from roots: one of the two',
    })
    .refine(({ roots, threshold = 1 }) => threshold <= (roots?.length ?? 1), {
      error: 'threshold is at most the number of roots; with trust, the anchor has it',
    }),
])

export function completePolicies(
  policies: BundleConfig | FolderConfig | string | undefined,
  at: (path: string) => string,
  own: string,
): PoliciesPlace {
  const written = typeof policies === 'string' ? { dir: policies } : (policies ?? {})
  const { capabilities = 'trust', shadow } = written as Partial<FolderConfig>
  const shared = { capabilities, ...(shadow === undefined ? {} : { shadow: at(shadow) }) }
  if ('from' in written)
    return {
      source: 'bundle',
      dir: own,
      watch: true,
      ...shared,
      bundle: completeBundle(written, at),
    }
  const { dir, watch = true } = written as Partial<FolderConfig>
  return { source: 'folder', dir: dir === undefined ? own : at(dir), watch, ...shared }
}

function completeBundle(written: BundleConfig, at: (path: string) => string): BundlePlace {
  const { from, opaKey, replayLast = 0, revoked = [], roots = [], trust } = written
  const { pollSeconds = 60, staleAfterSeconds = 3600, timeoutSeconds = 30 } = written
  const { maxBytes = 64 * 1024 * 1024, maxUnpackedBytes = 256 * 1024 * 1024 } = written
  const { maxPollSeconds = Math.max(300, pollSeconds), threshold = roots.length } = written
  return {
    from: placed(from, at),
    trust: trust === undefined ? { roots, threshold } : { file: at(trust) },
    revoked,
    ...(opaKey === undefined ? {} : { opaKey: { ...opaKey, file: at(opaKey.file) } }),
    poll: { minMs: pollSeconds * 1000, maxMs: maxPollSeconds * 1000 },
    timeoutMs: timeoutSeconds * 1000,
    staleAfterMs: staleAfterSeconds * 1000,
    limits: { maxBytes, maxUnpackedBytes },
    replayLast,
  }
}

function placed(from: FromConfig, at: (path: string) => string): FromConfig {
  if ('path' in from) return { path: at(from.path) }
  const ca = from.caFile === undefined ? {} : { caFile: at(from.caFile) }
  if ('url' in from) {
    const token = from.tokenFile === undefined ? {} : { tokenFile: at(from.tokenFile) }
    return { ...from, ...ca, ...token }
  }
  const { credentialsFile } = from.s3
  const signed = credentialsFile === undefined ? {} : { credentialsFile: at(credentialsFile) }
  return { ...from, ...ca, s3: { ...from.s3, ...signed } }
}
