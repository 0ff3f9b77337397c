/** `assay/lambda/package`: what a function takes along of its policies, made where there is a compiler's output and time. */
import { readFile, stat } from 'node:fs/promises'
import type { Bundle } from '../core/ports/compiler.ts'
import { importRoots, readPolicyBundle } from '../formats/bundle/index.ts'
import { Adapters, compilePolicies, loadFolder, policyOptions } from './compose.ts'
import { loadConfig } from './config/load.ts'
import { packPlan } from './engine/jit/index.ts'
import { DEFAULT_LIMITS, readBundleAt, unpack } from './policies/bundle/archive.ts'
import { served, verifyBundle } from './policies/bundle/verify.ts'

export interface PackageOptions {
  /** vkeys of the policy roots, and how many of them must have signed. Without it the policies are development ones, and every leaf says so. */
  readonly roots?: readonly string[]
  readonly threshold?: number
}
/** Two files. They belong to this release of the package: make them again after an update. */
export interface PackagedFiles {
  readonly 'policies.json': string
  readonly 'policies.mjs': string
}

/**
 * Of what `assay policy build` wrote, an archive or a folder, signed or not. Signatures are verified here: whoever can change the function's package
 * afterwards could change the verifier in it as well.
 *
 * @throws BundleRefusal, BundleError
 */
export async function packagePolicies(
  path: string,
  { roots, threshold = 1 }: PackageOptions = {},
): Promise<PackagedFiles> {
  const limits = DEFAULT_LIMITS
  const isFolder = (await stat(path)).isDirectory()
  const files = isFolder
    ? await readBundleAt(path, limits)
    : await unpack(await readFile(path), limits)
  if (roots !== undefined) {
    const trust = { roots: importRoots({ keys: roots, threshold }) }
    return filesOf(served(await verifyBundle(files, trust, limits)))
  }
  const bundle = readPolicyBundle(files, { maxBytes: limits.maxUnpackedBytes })
  const { release: _, ...unsigned } = served({ bundle, content: '', signers: [] })
  return filesOf(unsigned)
}

/**
 * Of the folder of Rego that a configuration names, completed by what its plugins bring, and with its OPA policies: for development, since nobody
 * signed them.
 *
 * @throws ConfigError, CompilerError, BundleError
 */
export async function packageConfigured(file: string): Promise<PackagedFiles> {
  const adapters = new Adapters(await loadConfig({ file }))
  try {
    const options = await policyOptions(adapters)
    const own = await loadFolder(options.dir)
    return filesOf(await compilePolicies(own, options, await adapters.get('compiler')))
  } finally {
    await adapters.close()
  }
}

function filesOf({ plan, wasm: _, ...bundle }: Bundle): PackagedFiles {
  const { text, ...packed } = packPlan(plan, bundle.digest)
  return {
    'policies.json': JSON.stringify({ bundle, plan: packed }),
    'policies.mjs': text,
  }
}
