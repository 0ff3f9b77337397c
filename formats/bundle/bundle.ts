/** A policy bundle: files to what a server runs, and back. Nothing here says whether it may serve. */
import { sha256Hex } from '../../core/crypto.ts'
import type { Json } from '../../core/json.ts'
import { dataRevision, type Files, policyDigest } from './digest.ts'
import { strictJson } from './json.ts'
import { MANIFEST, type Manifest, MODULES, type ModuleName, readManifest } from './manifest.ts'
import { type Recorded, readRecorded } from './recorded.ts'
import { BundleRefusal } from './refusal.ts'

export interface PolicyBundle {
  readonly manifest: Manifest
  /** `*.rego` by path; tests are not part of a bundle. */
  readonly sources: Readonly<Record<string, string>>
  readonly data: Json
  readonly plan: Json
  readonly wasm: Uint8Array
  /** The plan as an ES module, where it was emitted. */
  readonly module?: string
  readonly recorded: readonly Recorded[]
}

export interface ReadOptions {
  /** Of `data.json` and `plan.json`, each. */
  readonly maxBytes: number
}

/**
 * What the files hold, each as the manifest says.
 *
 * @throws BundleRefusal `missing_file`, `invalid_manifest`, `invalid_data`; `module_mismatch`: a module or the documents are not those of
 *   the manifest; `not_from_sources`: the manifest's digest is not that of these sources
 */
export function readPolicyBundle(files: Files, { maxBytes }: ReadOptions): PolicyBundle {
  const manifest = readManifest(files.get(MANIFEST))
  for (const name of MODULES) checkModule(name, files.get(name), manifest)
  const sources: Record<string, string> = {}
  for (const [path, bytes] of files) if (path.endsWith('.rego')) sources[path] = decode(path, bytes)
  const read = (path: string): Json =>
    strictJson(path, required(path, files), 'invalid_data', { maxBytes, maxDepth: 512 })
  const data = read('data.json')
  checkOrigin(manifest, sources, data)
  const module = files.get('policy.mjs')
  return {
    manifest,
    sources,
    data,
    plan: read('plan.json'),
    wasm: required('policy.wasm', files),
    ...(module === undefined ? {} : { module: decode('policy.mjs', module) }),
    recorded: readRecorded(files),
  }
}

function required(path: string, files: Files): Uint8Array {
  const bytes = files.get(path)
  if (bytes !== undefined) return bytes
  throw new BundleRefusal('missing_file', `it has no ${path}; assay policy build writes one`)
}

function checkModule(name: ModuleName, bytes: Uint8Array | undefined, { modules }: Manifest): void {
  const found = bytes && `sha256:${sha256Hex(bytes)}`
  if (found !== modules[name])
    throw new BundleRefusal('module_mismatch', `${name} is not the one that the manifest names`)
}

function checkOrigin(manifest: Manifest, sources: PolicyBundle['sources'], data: Json): void {
  if (policyDigest({ ...manifest, sources }) !== manifest.digest)
    throw new BundleRefusal('not_from_sources', 'its digest is not that of its sources')
  if (dataRevision(data) !== manifest.data)
    throw new BundleRefusal('module_mismatch', 'data.json is not the one that the manifest names')
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
function decode(path: string, bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes)
  } catch (cause) {
    throw new BundleRefusal('invalid_data', `${path} is not UTF-8`, { cause })
  }
}
