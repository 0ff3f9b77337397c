/** From what the compiler gives to the files of a bundle. */
import { sha256Hex } from '../../../core/crypto.ts'
import type { Bundle } from '../../../core/ports/compiler.ts'
import {
  BundleRefusal,
  type Files,
  MANIFEST,
  type Manifest,
  MODULES,
  policyDigest,
  RECORDED,
  readRecorded,
  writeManifest,
} from '../../../formats/bundle/index.ts'
import { packageRoots } from '../opa/union.ts'
import { capabilitiesOf } from './verify.ts'

export interface BuildOptions {
  /** The bundle's revision: above that of every bundle before it. */
  readonly counter: number
  /** Name and version of the compiler. */
  readonly compiler: string
  /** The plan as an ES module. */
  readonly module?: string
  /** `tests/recorded/*.json`, by path. */
  readonly recorded?: Files
}

/** @throws BundleRefusal `invalid_data`: recorded requests that cannot be read; `not_from_sources`: another compiler's bundle */
export function bundleFiles(bundle: Bundle, options: BuildOptions): Files {
  const { capabilities, data, digest, entrypoints, plan, revision, sources, wasm } = bundle
  const modules = new Map<string, Uint8Array>([
    ['plan.json', line(JSON.stringify(plan))],
    ['policy.wasm', wasm],
  ])
  if (options.module !== undefined) modules.set('policy.mjs', encoder.encode(options.module))
  const manifest: Manifest = {
    counter: options.counter,
    roots: rootsOf(bundle),
    entrypoints,
    capabilities: capabilitiesOf(capabilities),
    compiler: options.compiler,
    digest,
    data: revision,
    modules: Object.fromEntries(
      MODULES.filter((name) => modules.has(name)).map((name) => [name, hashed(modules.get(name)!)]),
    ),
  }
  if (policyDigest({ ...manifest, sources }) !== digest)
    throw new BundleRefusal(
      'not_from_sources',
      'the digest of the policy is not that of its sources',
    )
  const recorded = [...(options.recorded ?? [])].filter(([path]) => RECORDED.test(path))
  readRecorded(new Map(recorded))
  return new Map([
    ...modules,
    ...recorded,
    ...Object.entries(sources).map(([path, text]) => [path, encoder.encode(text)] as const),
    ['data.json', line(JSON.stringify(data))],
    [MANIFEST, writeManifest(manifest)],
  ])
}

const encoder = new TextEncoder()
const line = (text: string): Uint8Array => encoder.encode(`${text}\n`)
const hashed = (bytes: Uint8Array): string => `sha256:${sha256Hex(bytes)}`

/** The first name of each package and of each document. */
function rootsOf({ data, sources }: Bundle): readonly string[] {
  return [...new Set([...packageRoots(sources), ...Object.keys(data as object)])].sort()
}
