/**
 * A delta: what changed of a bundle's documents since another bundle, in OPA's format. It is another way to the bundle that it leads to,
 * whose content it names: who came by it and who took that bundle as a whole serve the same release.
 *
 * @see https://www.openpolicyagent.org/docs/management-bundles#delta-bundles
 */
import { schema } from '../../core/schema.ts'
import { contentDigest, type Files } from './digest.ts'
import { MANIFEST, manifestMembers, manifestOf } from './manifest.ts'
import { PATCH, type PatchOperation, readPatch, writePatch } from './patch.ts'
import { BundleRefusal } from './refusal.ts'
import { SIGNATURES } from './signatures.ts'

export interface DeltaManifest {
  /** That of the bundle it leads to. */
  readonly counter: number
  /** Those of both bundles. */
  readonly roots: readonly string[]
  /** `sha256:<hex>`: the content of the bundle that it applies to, and of no other. */
  readonly base: string
  /** `sha256:<hex>`: the content of the bundle that it leads to. */
  readonly result: string
}
export interface Delta {
  readonly manifest: DeltaManifest
  readonly operations: readonly PatchOperation[]
}

const { digest } = manifestMembers
const format = schema.object(
  {
    revision: manifestMembers.revision,
    roots: manifestMembers.roots,
    metadata: schema.object({
      assay: schema.object({
        type: schema.literal('assay.delta/v1'),
        base: digest,
        result: digest,
      }),
    }),
  },
  { rego_version: manifestMembers.regoVersion },
)

/** As OPA tells one from a whole bundle. */
export function isDelta(files: Files): boolean {
  return files.has(PATCH)
}

/** The manifest alone. @throws BundleRefusal `missing_file`, `invalid_manifest` */
export function readDeltaManifest(files: Files): DeltaManifest {
  const { assay, counter, roots } = manifestOf<Pick<DeltaManifest, 'base' | 'result'>>(
    files.get(MANIFEST),
    format,
    'assay policy delta',
  )
  const { base, result } = assay
  if (base === result)
    throw new BundleRefusal('invalid_manifest', `${MANIFEST} leads from a bundle to itself`)
  return { counter, roots, base, result }
}

/**
 * @throws BundleRefusal `missing_file`, `invalid_manifest`, `invalid_patch`; `delta_not_data`: it brings other files; `delta_roots`: it
 *   changes what is not under its roots
 */
export function readDelta(files: Files, { maxBytes }: { readonly maxBytes: number }): Delta {
  const manifest = readDeltaManifest(files)
  const more = [...files.keys()].find((path) => ![MANIFEST, PATCH, SIGNATURES].includes(path))
  if (more !== undefined)
    throw new BundleRefusal('delta_not_data', `a delta changes documents only, and brings ${more}`)
  const operations = readPatch(files.get(PATCH) ?? new Uint8Array(), maxBytes)
  const outside = operations.findIndex(({ path }) => !manifest.roots.includes(path[0] ?? ''))
  if (outside >= 0)
    throw new BundleRefusal('delta_roots', `${PATCH} /data/${outside} is under none of its roots`)
  return { manifest, operations }
}

export function writeDelta({ manifest, operations }: Delta): Files {
  const { base, counter, result, roots } = manifest
  const value = {
    revision: String(counter),
    roots,
    rego_version: 1,
    metadata: { assay: { type: 'assay.delta/v1', base, result } },
  }
  const text = new TextEncoder().encode(`${JSON.stringify(value, null, 1)}\n`)
  return new Map([
    [MANIFEST, text],
    [PATCH, writePatch(operations)],
  ])
}

/** What policy keys sign of a delta: no statement about a bundle can be taken for it. @throws BundleRefusal as {@link readDeltaManifest} */
export function deltaStatement(files: Files): string {
  const { base, counter, result, roots } = readDeltaManifest(files)
  const lines = [
    'assay.policy-delta/v1',
    'scope policy',
    `content ${contentDigest(files)}`,
    `base ${base}`,
    `result ${result}`,
    `revision ${counter}`,
    ...roots.map((root) => `root ${root}`),
  ]
  return `${lines.join('\n')}\n`
}
