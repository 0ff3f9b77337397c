/** The policies of a server: a folder that is compiled here, or signed bundles from elsewhere; and what is compared with them. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { toBase64 } from '../core/crypto.ts'
import { ConfigError } from '../core/error.ts'
import type { Json } from '../core/json.ts'
import type { Kernel } from '../core/kernel.ts'
import { parseAnchor, type TrustAnchor } from '../core/log/anchor.ts'
import type { UnixSeconds } from '../core/ports/clock.ts'
import type { Policy } from '../core/ports/engine.ts'
import { createRegistry } from '../core/registry.ts'
import type { Adapters } from './compose.ts'
import { type Config, OWN_POLICIES } from './config/complete.ts'
import type { BundlePlace, OpaKeyConfig } from './config/policies.ts'
import type { Value } from './engine/value/value.ts'
import type { BundleKeeper, Standing } from './policies/bundle/keeper.ts'
import type { BundleSource } from './policies/bundle/source.ts'
import type { TokenKey } from './policies/bundle/token.ts'
import type { BundleTrust } from './policies/bundle/verify.ts'
import { loadFolder } from './policies/folder.ts'
import {
  compilePolicies,
  keepPolicies,
  type OpaOptions,
  type PolicyEvent,
  type PolicyOptions,
} from './policies/live.ts'
import type { OpaDesk } from './policies/opa/desk.ts'
import { readBundle, readFolder } from './policies/opa/source.ts'

/** What is known at start, before there is a kernel. */
export interface PreparedPolicies {
  /** Makes them decide. What it gives follows their changes, until the adapters are closed. */
  activate(
    kernel: Kernel,
    anchor: TrustAnchor,
    onPolicy: (event: PolicyEvent) => void,
  ): Promise<ActivePolicies>
  /** Of signed bundles: when their source last confirmed what serves, in Unix seconds; 0: it never did. */
  readonly confirmed?: () => UnixSeconds
}
export interface ActivePolicies {
  follow(): void
  /** Of signed bundles: how sure it is that nothing newer exists. */
  readonly standing?: () => Standing
}

/** A mistake in a folder ends a start before anything else is opened. @throws CompilerError, ConfigError, BundleError */
export async function preparePolicies(adapters: Adapters): Promise<PreparedPolicies> {
  const { opa, policies } = adapters.config
  const { bundle } = policies
  if (bundle === undefined) return prepareFolder(adapters)
  if (opa !== undefined)
    throw new ConfigError(
      'invalid_config',
      'OPA policies of your own are compiled here, which signed bundles are not: leave out opa, or take policies from a folder',
    )
  // Decisions begin when it is open.
  let keeper: BundleKeeper | undefined
  return {
    confirmed: () => Math.floor((keeper?.confirmedAt ?? 0) / 1000),
    activate: async (kernel, anchor, onPolicy) => {
      const opened = await openKeeper(adapters, bundle, { kernel, anchor, onPolicy })
      keeper = opened
      adapters.onClose(() => opened.close())
      return { follow: () => opened.follow(), standing: () => opened.standing }
    },
  }
}

async function prepareFolder(adapters: Adapters): Promise<PreparedPolicies> {
  const { opa: desk } = adapters
  const options = serving(await policyOptions(adapters), desk)
  const compiler = await adapters.get('compiler')
  const known = await loadFolder(options.dir)
  const bundle = await compilePolicies(known, options, compiler)
  return {
    activate: async (kernel, _anchor, onPolicy) => {
      desk?.serve(kernel)
      const active = desk ?? kernel
      await active.activate(bundle)
      const follow = (): void => {
        const kept = keepPolicies(active, compiler, { ...options, known }, onPolicy)
        adapters.onClose(() => kept.close())
      }
      return { follow }
    },
  }
}

interface Surroundings {
  readonly kernel: Kernel
  readonly anchor: TrustAnchor
  readonly onPolicy: (event: PolicyEvent) => void
}

async function openKeeper(
  adapters: Adapters,
  place: BundlePlace,
  { anchor, kernel, onPolicy }: Surroundings,
): Promise<BundleKeeper> {
  const { config } = adapters
  const { BundleKeeper: Keeper } = await import('./policies/bundle/keeper.ts')
  const { BundleCache } = await import('./policies/bundle/cache.ts')
  const { patched } = await import('./engine/data/index.ts')
  const { store } = await adapters.get('store')
  const plugins = (await adapters.get('plugins')).map(({ plugin }) => plugin)
  const { entrypoints } = createRegistry(plugins)
  const replay = place.replayLast === 0 ? {} : { replay: replaying(adapters, place.replayLast) }
  return Keeper.open({
    source: await openSource(adapters, place),
    trust: await bundleTrust(adapters, place, anchor),
    limits: place.limits,
    capabilities: config.policies.capabilities,
    trial: { engine: await adapters.get('engine'), entrypoints, ...replay },
    kernel,
    store,
    cache: new BundleCache(join(config.data, 'bundles')),
    patched: (data, operations) => patched(data as Value, operations) as Json,
    clock: await adapters.get('clock'),
    poll: place.poll,
    staleAfterMs: place.staleAfterMs,
    onPolicy,
  })
}

async function openSource(
  adapters: Adapters,
  { from, limits, timeoutMs }: BundlePlace,
): Promise<BundleSource> {
  if ('path' in from)
    return (await import('./policies/bundle/file-source.ts')).fileSource(from.path, limits)
  const ca = from.caFile === undefined ? {} : { caFile: from.caFile }
  const bounds = { limits, timeoutMs, ...ca }
  if ('s3' in from) {
    const clock = await adapters.get('clock')
    return (await import('./policies/bundle/s3-source.ts')).s3Source({
      ...from.s3,
      ...bounds,
      clock,
    })
  }
  const { bearer, httpSource } = await import('./policies/bundle/http-source.ts')
  const { longPollSeconds = 30, tokenFile, url } = from
  const headers = tokenFile === undefined ? {} : { headers: bearer(tokenFile) }
  return httpSource({ url, longPollSeconds, ...bounds, ...headers })
}

/** A key of this server that has another scope signs no policies, and one that it revoked does not any more. */
async function bundleTrust(
  adapters: Adapters,
  { opaKey, revoked, trust }: BundlePlace,
  own: TrustAnchor,
): Promise<BundleTrust> {
  const { anchorOf, rootsOf } = await import('./policies/bundle/roots.ts')
  const anchor = 'file' in trust ? parseAnchor(await read(trust.file)) : anchorOf(own, trust)
  const custody = await adapters.get('custody')
  const all = (await Promise.all(custody.scopes.map((scope) => custody.list(scope)))).flat()
  const roots = rootsOf(anchor, {
    revoked,
    revokedKeys: all
      .filter(({ scope, state }) => scope === 'policy' && state === 'revoked')
      .map(({ publicKey }) => toBase64(publicKey)),
    others: all
      .filter(({ scope }) => scope !== 'policy')
      .map(({ publicKey }) => toBase64(publicKey)),
  })
  if (roots === undefined)
    throw new ConfigError('invalid_config', 'the trust anchor of the policies names no policyRoots')
  if (opaKey === undefined) return { roots }
  return { roots, token: await tokenKey(opaKey) }
}

async function tokenKey({ algorithm, file, scope }: OpaKeyConfig): Promise<TokenKey> {
  const pem = new TextDecoder().decode(await read(file))
  return { pem, algorithm, ...(scope === undefined ? {} : { scope }) }
}

async function read(file: string): Promise<Uint8Array> {
  try {
    return await readFile(file)
  } catch {
    throw new ConfigError('not_found', `policies: ${file} cannot be read`)
  }
}

/** Decisions of the log that would come out otherwise. */
function replaying(
  adapters: Adapters,
  last: number,
): (policy: Policy) => Promise<readonly string[]> {
  return async (policy) => {
    const { replay } = await import('./shadow/replay.ts')
    const { isFlip } = await import('./shadow/report.ts')
    const plugins = (await adapters.get('plugins')).map(({ plugin }) => plugin)
    const pair = await adapters.get('store')
    const done = await replay({ ...pair, registry: createRegistry(plugins), policy, last })
    const flips = done.comparisons.flatMap(({ differences }) => differences.filter(isFlip))
    return flips.map(({ action, change, examples }) => `${action} ${change}, as in ${examples[0]}`)
  }
}

/** Compares a second folder with what decides. */
export async function startShadow(
  adapters: Adapters,
  kernel: Kernel,
  watch: boolean,
  onShadow: (event: PolicyEvent) => void,
): Promise<void> {
  const { shadow: dir } = adapters.config.policies
  if (dir === undefined) return
  const { keepShadow } = await import('./policies/shadow.ts')
  const compiler = await adapters.get('compiler')
  const policies = serving(await policyOptions(adapters), adapters.opa)
  const kept = await keepShadow(kernel, compiler, { ...policies, dir, watch }, onShadow)
  adapters.onClose(() => kept.close())
}

/** With what callers pushed in the place of the documents that came with their policies. */
function serving(policies: PolicyOptions, desk: OpaDesk | undefined): PolicyOptions {
  const { opa } = policies
  if (opa === undefined || desk === undefined) return policies
  return { ...policies, opa: { ...opa, pushed: () => desk.pushed() } }
}

/** What {@link compilePolicies} needs to know. */
export async function policyOptions(adapters: Adapters): Promise<PolicyOptions> {
  const { dir, capabilities } = adapters.config.policies
  const plugins = (await adapters.get('plugins')).map(({ plugin, policies }) => ({
    name: plugin.name,
    ...(policies === undefined ? {} : { policies }),
  }))
  const library = pathToFileURL(join(OWN_POLICIES, 'lib'))
  return { dir, capabilities, library, plugins, ...opaOptions(adapters.config) }
}

function opaOptions({ opa }: Config): { opa?: OpaOptions } {
  if (opa === undefined) return {}
  const { entrypoints, key, kind, path } = opa
  if (kind === 'dir') return { opa: { entrypoints, read: () => readFolder(path), folder: path } }
  return { opa: { entrypoints, read: async () => readBundle(path, key && (await tokenKey(key))) } }
}
