/**
 * The policies that serve: the operator's folder, completed by the Rego that plugins bring, compiled at start and again whenever a file
 * is saved. A change that does not compile, or cannot serve, leaves the one before it in place.
 */
import { fileURLToPath } from 'node:url'
import type { Kernel } from '../../core/kernel.ts'
import type { CapabilitySet, Compiler, Sources } from '../../core/ports/compiler.ts'
import { loadFolder, watchFolder } from './folder.ts'
import type { OpaSource } from './opa/source.ts'
import { buildUnion, type OpaPolicies, type ServedBundle } from './opa/union.ts'

export interface PolicyOptions {
  readonly dir: string
  readonly capabilities: CapabilitySet
  /** Plugin names: each has the entry point `assay/<plugin>/decision`. */
  readonly plugins: readonly { readonly name: string; readonly policies?: URL }[]
  /** The folder of what the rules that plugins bring have in common: `lib/` of this package. */
  readonly library?: URL
  /** A user's own OPA policies, served beside. */
  readonly opa?: OpaOptions
}
export interface OpaOptions {
  readonly entrypoints: readonly string[]
  read(): Promise<OpaSource>
  /** Where it lies, when it is a folder to be watched. */
  readonly folder?: string
  /** What was pushed; none where nobody serves. */
  readonly pushed?: () => Promise<OpaPolicies['pushed']>
}

export type PolicyEvent =
  | { readonly kind: 'active'; readonly digest: string; readonly revision: string }
  /** The changed policy cannot serve; the one before it still does. */
  | { readonly kind: 'refused'; readonly error: unknown }

/** `<plugin>/` in `own` takes the place of what the plugin brings, as a whole; so does each part of `lib/`. */
async function completed(own: Sources, { library, plugins }: PolicyOptions): Promise<Sources> {
  const brought = plugins.filter(
    ({ name, policies }) =>
      policies !== undefined && !Object.keys(own).some((path) => path.startsWith(`${name}/`)),
  )
  const folders = await Promise.all(
    brought.map(async ({ name, policies }) =>
      Object.entries(await loadFolder(fileURLToPath(policies as URL))).map(
        ([path, text]) => [`${name}/${path}`, text] as const,
      ),
    ),
  )
  const common = brought.length === 0 || library === undefined ? {} : await lacking(own, library)
  return { ...own, ...common, ...Object.fromEntries(folders.flat()) }
}

/** The parts of the library that `own` has nothing of. */
async function lacking(own: Sources, library: URL): Promise<Sources> {
  const partOf = (path: string): string => path.split('/', 2).join('/')
  const known = new Set(Object.keys(own).map(partOf))
  const all = Object.entries(await loadFolder(fileURLToPath(library)))
  const named = all.map(([path, text]) => [`lib/${path}`, text] as const)
  return Object.fromEntries(named.filter(([path]) => !known.has(partOf(path))))
}

/** @param own what {@link loadFolder} gave @throws CompilerError; BundleError; what {@link loadFolder} throws, for what plugins bring */
export async function compilePolicies(
  own: Sources,
  options: PolicyOptions,
  compiler: Compiler,
): Promise<ServedBundle> {
  const { capabilities, opa, plugins } = options
  const sources = await completed(own, options)
  const entrypoints = plugins.map(({ name }) => `assay/${name}/decision`)
  if (opa === undefined) return compiler.build(sources, { capabilities, entrypoints })
  const pushed = (await opa.pushed?.()) ?? new Map()
  const policies = { source: await opa.read(), entrypoints: opa.entrypoints, pushed }
  return buildUnion(sources, entrypoints, policies, compiler)
}

/** Swaps the policy whenever the folder's content is no longer `known`. Changes are taken one after the other, in their order. */
export function keepPolicies(
  kernel: Pick<Kernel, 'activate'>,
  compiler: Compiler,
  options: PolicyOptions & { readonly known: Sources },
  onPolicy: (event: PolicyEvent) => void,
): { close(): Promise<void> } {
  let last: Promise<void> = Promise.resolve()
  const swap = async (own: Sources): Promise<void> => {
    try {
      const bundle = await compilePolicies(own, options, compiler)
      const { digest, revision } = await kernel.activate(bundle)
      onPolicy({ kind: 'active', digest, revision })
    } catch (error) {
      onPolicy({ kind: 'refused', error })
    }
  }
  let latest = options.known
  const onChange = (own: Sources): void => {
    latest = own
    last = last.then(() => swap(own))
  }
  const onError = (error: unknown): void => onPolicy({ kind: 'refused', error })
  // Whoever was told that the folder cannot be read is told what serves, also when nothing in it changed.
  const onReadable = (): void => onChange(latest)
  const events = { onError, onReadable }
  const watchers = [watchFolder(options.dir, onChange, { known: options.known, ...events })]
  const { folder } = options.opa ?? {}
  if (folder !== undefined) watchers.push(watchFolder(folder, () => onChange(latest), events))
  return {
    async close() {
      for (const watcher of watchers) await watcher.close()
      await last
    },
  }
}
