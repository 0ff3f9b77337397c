/**
 * `.manifest`: OPA's members, and under `metadata.assay` what else a server of ours has to know of a bundle.
 *
 * @see https://www.openpolicyagent.org/docs/management-bundles#manifest
 */
import { type Schema, schema } from '../../core/schema.ts'
import { checkForm, strictJson } from './json.ts'
import { BundleRefusal } from './refusal.ts'

export const MANIFEST = '.manifest'
/** What engines run; each may be missing where nobody needs it, but for the first. */
export const MODULES = ['plan.json', 'policy.mjs', 'policy.wasm'] as const
export type ModuleName = (typeof MODULES)[number]

export interface Manifest {
  /** Only ever grows: 1, 2, 3 ... In the file it is OPA's `revision`, decimal. */
  readonly counter: number
  /** Top-level names of `data` that the bundle owns; none is within another. */
  readonly roots: readonly string[]
  readonly entrypoints: readonly string[]
  readonly capabilities: { readonly name: 'compat' | 'trust'; readonly sha256: string }
  /** Name and version. */
  readonly compiler: string
  /** `sha256:<hex>` of the policy: `Bundle.digest`. */
  readonly digest: string
  /** `sha256:<hex>` of the documents: `Bundle.revision`. */
  readonly data: string
  /** `sha256:<hex>` of the bytes. */
  readonly modules: { readonly [Name in ModuleName]?: string }
}

const text = schema.string({ maxLength: 512, pattern: /^[^\p{Cc}]+$/u })
const digest = schema.string({ maxLength: 71, pattern: /^sha256:[0-9a-f]{64}$/ })
const names = schema.array(text, { maxItems: 1024 })
const hex = schema.string({ maxLength: 64, pattern: /^[0-9a-f]{64}$/ })
const own = schema.object({
  type: schema.literal('assay.bundle/v1'),
  capabilities: schema.object({ name: schema.literal('compat', 'trust'), sha256: hex }),
  compiler: text,
  data: digest,
  digest,
  entrypoints: names,
  modules: schema.object({}, { 'plan.json': digest, 'policy.mjs': digest, 'policy.wasm': digest }),
})
/** What manifests of bundles and of deltas have alike. */
export const manifestMembers: {
  readonly revision: Schema<string>
  readonly roots: Schema<readonly string[]>
  readonly digest: Schema<string>
  readonly regoVersion: Schema<number>
} = {
  revision: schema.string({ maxLength: 15, pattern: /^[1-9][0-9]*$/ }),
  roots: names,
  digest,
  regoVersion: schema.integer({ min: 1, max: 1 }),
}
const format = schema.object(
  {
    revision: manifestMembers.revision,
    roots: manifestMembers.roots,
    metadata: schema.object({ assay: own }),
  },
  {
    rego_version: manifestMembers.regoVersion,
    wasm: schema.array(schema.json(), { maxItems: 1024 }),
  },
)
type Written = Omit<Manifest, 'counter' | 'roots'>

/** @throws BundleRefusal `missing_file`, `invalid_manifest` */
export function readManifest(bytes: Uint8Array | undefined): Manifest {
  const { assay, counter, roots } = manifestOf<Written>(bytes, format, 'assay policy build')
  return { ...assay, counter, roots }
}

/**
 * A manifest of either kind: what both have alike, and its own members. `command` writes such a one.
 *
 * @throws BundleRefusal `missing_file`, `invalid_manifest`
 */
export function manifestOf<Own>(
  bytes: Uint8Array | undefined,
  format: Schema<unknown>,
  command: string,
): { readonly counter: number; readonly roots: readonly string[]; readonly assay: Own } {
  if (bytes === undefined)
    throw new BundleRefusal('missing_file', `it has no ${MANIFEST}; ${command} writes one`)
  const value = strictJson(MANIFEST, bytes, 'invalid_manifest')
  checkForm(MANIFEST, value, 'invalid_manifest', format)
  const { metadata, revision, roots } = value as unknown as {
    readonly revision: string
    readonly roots: readonly string[]
    readonly metadata: { readonly assay: Own & { readonly type: string } }
  }
  const { type: _, ...assay } = metadata.assay
  return { assay: assay as unknown as Own, counter: Number(revision), roots }
}

/**
 * As OPA reads it. `wasm` is left out: an OPA without a WebAssembly runtime, as most are built, refuses a bundle whose manifest names
 * such modules, and the sources are there for it to evaluate.
 */
export function writeManifest(manifest: Manifest): Uint8Array {
  const { counter, roots, capabilities, compiler, data, digest, entrypoints, modules } = manifest
  const assay = { type: 'assay.bundle/v1', capabilities, compiler, data, digest }
  const value = {
    revision: String(counter),
    roots,
    rego_version: 1,
    metadata: { assay: { ...assay, entrypoints, modules } },
  }
  return new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`)
}
