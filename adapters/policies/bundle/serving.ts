/** From bytes to what serves: a whole bundle, or a delta on the one that serves. Checked, tried out, on disk, and only then in force. */
import type { Json } from '../../../core/json.ts'
import type { Bundle, Release } from '../../../core/ports/compiler.ts'
import type { DataOperation, Policy } from '../../../core/ports/engine.ts'
import { revisionAfter, revisionOf } from '../../../core/revision.ts'
import {
  BundleRefusal,
  type Delta,
  type Files,
  isDelta,
  type Recorded,
} from '../../../formats/bundle/index.ts'
import { unpack } from './archive.ts'
import type { Chain } from './cache.ts'
import { checkGround, dataOperations, rulesOf } from './delta.ts'
import { checkHistory, lastRelease, servedRevision } from './history.ts'
import type { KeeperOptions } from './keeper.ts'
import { tryChange, tryOut } from './trial.ts'
import {
  checkCapabilities,
  served,
  type VerifiedBundle,
  verifyBundle,
  verifyDelta,
} from './verify.ts'

/** Deltas on one whole bundle: a start verifies and applies them all. */
export const MAX_DELTAS = 100

export type ServingOptions = Pick<
  KeeperOptions,
  'cache' | 'capabilities' | 'kernel' | 'limits' | 'patched' | 'store' | 'trial' | 'trust'
>

/** What is known of the policy in force. */
export interface Serving {
  readonly policy: Policy
  readonly release: Release
  /** The contents on disk that give it: a whole bundle's, then that of each delta. */
  readonly chain: readonly string[]
  /** Of the whole bundle. */
  readonly roots: readonly string[]
  readonly rules: readonly (readonly string[])[]
  readonly recorded: readonly Recorded[]
}

/**
 * What serves afterwards; `serving` itself where it is that very release.
 *
 * @throws BundleRefusal, BundleError; EngineError, NoDecision, and what the file system throws: `serving` goes on
 */
export async function take(
  bytes: Uint8Array,
  serving: Serving | undefined,
  options: ServingOptions,
): Promise<Serving> {
  const files = await unpack(bytes, options.limits)
  return isDelta(files)
    ? takeDelta({ bytes, files }, serving, options)
    : takeWhole({ bytes, files }, serving, options)
}

interface Arrived {
  readonly bytes: Uint8Array
  readonly files: Files
}

async function takeWhole(
  { bytes, files }: Arrived,
  serving: Serving | undefined,
  options: ServingOptions,
): Promise<Serving> {
  const verified = await verifiedWhole(files, options)
  const bundle = served(verified)
  const release = releaseOf(verified)
  checkHistory(release, await lastRelease(options.store))
  if (serving?.release.content === release.content) return serving
  await tryOut(bundle, { ...options.trial, recorded: verified.bundle.recorded })
  await options.cache.keep(release.content, bytes)
  const policy = await options.kernel.activate(bundle)
  return servingOf(verified, policy, release, [release.content])
}

async function verifiedWhole(files: Files, options: ServingOptions): Promise<VerifiedBundle> {
  const verified = await verifyBundle(files, options.trust, options.limits)
  checkCapabilities(verified.bundle.manifest, options.capabilities)
  return verified
}

function releaseOf({ bundle, content }: VerifiedBundle): Release {
  return { counter: bundle.manifest.counter, content }
}

function servingOf(
  { bundle }: VerifiedBundle,
  policy: Policy,
  release: Release,
  chain: readonly string[],
): Serving {
  const { manifest, plan, recorded } = bundle
  return { policy, release, chain, roots: manifest.roots, rules: rulesOf(plan), recorded }
}

async function takeDelta(
  { bytes, files }: Arrived,
  serving: Serving | undefined,
  options: ServingOptions,
): Promise<Serving> {
  const { cache, kernel, limits, store, trial, trust } = options
  const { delta } = await verifyDelta(files, trust, limits)
  const { counter, result: content } = delta.manifest
  const release = { counter, content }
  checkHistory(release, await lastRelease(store))
  if (serving?.release.content === content) return serving
  checkGround(delta, serving && { ...serving, content: serving.release.content })
  const before = serving as Serving
  if (before.chain.length > MAX_DELTAS)
    throw new BundleRefusal('delta_too_many', `${MAX_DELTAS} deltas are applied already`)
  const operations = dataOperations(delta)
  await tryChange(before.policy, operations, { ...trial, recorded: before.recorded })
  await cache.keep(content, bytes, 'delta')
  const policy = await kernel.update(operations, release)
  return { ...before, policy, release, chain: [...before.chain, content] }
}

/**
 * What served last, from disk: whoever could write there cannot sign. Undefined where it is not there.
 *
 * @throws as {@link take}
 */
export async function resume(options: ServingOptions): Promise<Serving | undefined> {
  const { cache, limits, store } = options
  const last = await lastRelease(store)
  const chain = last && (await chainTo(last.content, options))
  if (last === undefined || chain === undefined) return undefined
  const verified = await verifiedWhole(await unpack(chain.whole, limits), options)
  const bundle = await withDeltas(verified, chain.deltas, options)
  const release = bundle.release as Release
  checkHistory(release, last)
  await tryOut(bundle, { ...options.trial, recorded: verified.bundle.recorded })
  const policy = await options.kernel.activate(bundle)
  await cache.prune(chain.contents)
  return servingOf(verified, policy, release, chain.contents)
}

/** Each file is named after what it leads to; a delta says what it applies to. */
async function chainTo(last: string, options: ServingOptions): Promise<Chain<Delta> | undefined> {
  const { cache, limits, trust } = options
  const deltas: Delta[] = []
  const contents: string[] = []
  for (let content = last; deltas.length <= MAX_DELTAS; ) {
    contents.unshift(content)
    const whole = await cache.read(content, limits.maxBytes)
    if (whole !== undefined) return { whole, deltas, contents }
    const bytes = await cache.read(content, limits.maxBytes, 'delta')
    if (bytes === undefined) return undefined
    const { delta } = await verifyDelta(await unpack(bytes, limits), trust, limits)
    if (delta.manifest.result !== content)
      throw new BundleRefusal('delta_base', `on disk, the delta to ${content} leads elsewhere`)
    deltas.unshift(delta)
    content = delta.manifest.base
  }
  throw new BundleRefusal('delta_too_many', `over ${MAX_DELTAS} deltas are on disk`)
}

/** The bundle as it serves with all of them, under the revision that it served under. */
async function withDeltas(
  verified: VerifiedBundle,
  deltas: readonly Delta[],
  { patched, store }: ServingOptions,
): Promise<Bundle> {
  const whole = served(verified)
  if (deltas.length === 0) return whole
  const ground = { roots: verified.bundle.manifest.roots, rules: rulesOf(whole.plan) }
  let release = releaseOf(verified)
  let { data, revision } = whole
  for (const delta of deltas) {
    checkGround(delta, { ...ground, content: release.content })
    const operations = dataOperations(delta)
    data = applied(patched, data, operations)
    revision = revisionAfter(revision, operations)
    release = { counter: delta.manifest.counter, content: delta.manifest.result }
  }
  // Where something else than these deltas led here, no history gives that name.
  const known = (await servedRevision(store)) === revision
  return { ...whole, data, revision: known ? revision : revisionOf(data), release }
}

function applied(
  patched: KeeperOptions['patched'],
  data: Json,
  operations: readonly DataOperation[],
): Json {
  try {
    return patched(data, operations)
  } catch (cause) {
    throw new BundleRefusal('delta_not_applicable', 'it does not fit its bundle', { cause })
  }
}
