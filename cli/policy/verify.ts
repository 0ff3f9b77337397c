/** `assay policy verify`: offline, with nothing but the bundle and what the verifier trusts. */
import { isDeepStrictEqual } from 'node:util'
import { Adapters } from '../../adapters/compose.ts'
import { emitModule } from '../../adapters/engine/jit/index.ts'
import { DEFAULT_LIMITS, readBundleAt } from '../../adapters/policies/bundle/archive.ts'
import { rootsOf } from '../../adapters/policies/bundle/roots.ts'
import {
  type VerifiedBundle,
  type VerifiedDelta,
  verifyBundle,
  verifyDelta,
} from '../../adapters/policies/bundle/verify.ts'
import { BundleError } from '../../core/error.ts'
import { parseAnchor } from '../../core/log/anchor.ts'
import type { Compiler } from '../../core/ports/compiler.ts'
import {
  BundleRefusal,
  type ImportedRoots,
  importRoots,
  isDelta,
} from '../../formats/bundle/index.ts'
import { bytesOf, configured } from '../input.ts'
import { type ExitCode, type Out, UsageError } from '../out.ts'
import { type TokenOptions, tokenKey } from './sign.ts'

export interface VerifyOptions extends TokenOptions {
  readonly trust?: string
  /** In its place: vkeys of policy keys, and how many of them it takes; all without `threshold`. */
  readonly root?: readonly string[]
  readonly threshold?: number
  readonly config?: string
  readonly rebuild?: boolean
}

/** 0: signed by enough keys that are trusted, and whole; 1: refused, with the code. */
export async function verify(options: VerifyOptions, out: Out, path: string): Promise<ExitCode> {
  const token = await tokenKey(options)
  const roots = await rootsFor(options)
  if (roots === undefined && token === undefined)
    throw new UsageError(
      'usage',
      'whom to trust? --root with a vkey for each policy key, --trust with a trust anchor that has policyRoots, or --opa-key',
    )
  try {
    const files = await readBundleAt(path, DEFAULT_LIMITS)
    const trust = { ...(roots && { roots }), ...(token && { token }) }
    const threshold = roots?.threshold ?? 0
    if (isDelta(files)) {
      if (options.rebuild === true) throw new UsageError('usage', 'a delta has no sources')
      tellDelta(await verifyDelta(files, trust, DEFAULT_LIMITS), threshold, out)
      return 0
    }
    const verified = await verifyBundle(files, trust, DEFAULT_LIMITS)
    if (options.rebuild === true) await rebuild(verified, options)
    tell(verified, { threshold, rebuilt: options.rebuild === true }, out)
    return 0
  } catch (error) {
    const refused = error instanceof BundleRefusal || error instanceof BundleError
    if (!refused || error.code === 'not_found') throw error
    const { code, message } = error
    out.answer({ valid: false, code, message }, `${out.colour('red', 'REFUSED')} ${message}`)
    return 1
  }
}

/** @throws BundleRefusal `foreign_root`, `wrong_scope` */
async function rootsFor(options: VerifyOptions): Promise<ImportedRoots | undefined> {
  const { root: keys, threshold, trust } = options
  if (keys !== undefined) return importRoots({ keys, threshold: threshold ?? keys.length })
  if (threshold !== undefined) throw new UsageError('usage', '--threshold is of --root')
  return trust === undefined
    ? undefined
    : rootsOf(parseAnchor(await bytesOf(trust, 'the trust anchor')))
}

/** @throws BundleRefusal `not_from_sources` */
async function rebuild(verified: VerifiedBundle, options: VerifyOptions): Promise<void> {
  const adapters = new Adapters(await configured(options))
  try {
    await compare(verified, await adapters.get('compiler'))
  } finally {
    await adapters.close()
  }
}

async function compare({ bundle }: VerifiedBundle, compiler: Compiler): Promise<void> {
  const { data, manifest, module, plan, sources, wasm } = bundle
  if (compiler.version !== manifest.compiler)
    throw different(`${manifest.compiler} made it, and this is ${compiler.version}: use that one`)
  const again = await compiler.build(
    { ...sources, 'data.json': JSON.stringify(data) },
    { capabilities: manifest.capabilities.name, entrypoints: askedFor(manifest.entrypoints) },
  )
  if (!isDeepStrictEqual(again.plan, plan)) throw different('plan.json is not made of its sources')
  if (Buffer.compare(again.wasm, wasm) !== 0)
    throw different('policy.wasm is not made of its sources')
  if (module !== undefined && emitModule(again.plan) !== module)
    throw different(
      'policy.mjs is not what this release makes of plan.json, which is made of its sources: try the release that built it',
    )
}

/** The compiler puts those that were asked for in order, and then those that Rego annotates: all of them in this order come out again. */
function askedFor(entrypoints: readonly string[]): readonly string[] {
  const end = entrypoints.findIndex((name, i) => i > 0 && name < entrypoints[i - 1]!)
  return end < 0 ? entrypoints : entrypoints.slice(0, end)
}

function different(what: string): BundleRefusal {
  return new BundleRefusal('not_from_sources', what)
}

function tell(
  { bundle: { manifest, recorded }, content, signers }: VerifiedBundle,
  { rebuilt, threshold }: { readonly rebuilt: boolean; readonly threshold: number },
  out: Out,
): void {
  const { compiler, counter, data, digest, roots } = manifest
  const value = {
    valid: true,
    content,
    digest,
    data,
    revision: counter,
    roots,
    compiler,
    signers,
    threshold,
    recorded: recorded.length,
    rebuilt,
  }
  const lines = [
    `${out.colour('green', 'VALID')} revision ${counter}`,
    `content  ${content}`,
    `digest   ${digest}`,
    `data     ${data}`,
    ...signedLines(signers, threshold),
    ...(rebuilt ? [`made of its sources by ${compiler}`] : []),
  ]
  out.answer(value, lines.join('\n'))
}

function signedLines(signers: readonly string[], threshold: number): readonly string[] {
  const enough = threshold > 0 ? `${signers.length} of ${threshold} that it takes` : undefined
  return [...signers.map((signer) => `signed by ${signer}`), enough ?? "OPA's token is valid"]
}

/** That it fits the bundle that it applies to is for the server of that bundle to say. */
function tellDelta(
  { delta: { manifest, operations }, content, signers }: VerifiedDelta,
  threshold: number,
  out: Out,
): void {
  const { base, counter, result, roots } = manifest
  const value = {
    valid: true,
    content,
    base,
    result,
    revision: counter,
    roots,
    operations: operations.length,
    signers,
    threshold,
  }
  const lines = [
    `${out.colour('green', 'VALID')} delta to revision ${counter}`,
    `content  ${content}`,
    `base     ${base}`,
    `result   ${result}`,
    ...signedLines(signers, threshold),
  ]
  out.answer(value, lines.join('\n'))
}
