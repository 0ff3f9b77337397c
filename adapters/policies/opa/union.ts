/**
 * One bundle of Assay's policies and a user's own: one digest and one revision for every decision. The user's rules are reached through
 * generated ones, which hand them the query's input and make `time.now_ns` the decision's own time, so that it can be made again.
 */
import { createHash } from 'node:crypto'
import { canonicalJson } from '../../../core/canonical.ts'
import { BundleError } from '../../../core/error.ts'
import type { Json } from '../../../core/json.ts'
import type { Bundle, Compiler, Sources } from '../../../core/ports/compiler.ts'
import type { Documents, OpaSource } from './source.ts'

/** What callers of the user's policies may ask and change. */
export interface Served {
  readonly entrypoints: readonly string[]
  readonly documents: Documents
  readonly rules: readonly (readonly string[])[]
  readonly owned: readonly (readonly string[])[]
  readonly reserved: readonly string[]
}
export interface OpaPolicies {
  readonly source: OpaSource
  /** Besides those that are annotated; with slashes. */
  readonly entrypoints: readonly string[]
  /** What takes the place of the source's documents: undefined for one that was removed. */
  readonly pushed: ReadonlyMap<string, Json | undefined>
}
export interface ServedBundle extends Bundle {
  readonly opa?: Served
}

const WHO = 'opa/bundle'
const FOLDER = 'opa.query/'
const OWN_PACKAGE = 'assay'

/**
 * `trusted`: Assay's own policies with their data, which compile with the trust capabilities whatever the user brings.
 *
 * @throws CompilerError; BundleError `reserved_name`, `invalid_package`
 */
export async function buildUnion(
  trusted: Sources,
  entrypoints: readonly string[],
  { source, entrypoints: asked, pushed }: OpaPolicies,
  compiler: Compiler,
): Promise<ServedBundle> {
  const own = await compiler.build(trusted, { capabilities: 'trust', entrypoints })
  const reserved = [OWN_PACKAGE, ...Object.keys(own.data as Documents)].sort()
  const documents = withPushed(source.documents, pushed)
  checkNames([...Object.keys(documents), ...packageRoots(source.modules)], reserved)
  const annotated = await annotatedIn(source.modules, documents, asked, compiler)
  const sources = { ...trusted, ...moved(source.modules), [GENERATED]: generate(annotated) }
  const union = await compiler.build(sources, { capabilities: 'compat', entrypoints })
  const served: Served = {
    entrypoints: annotated,
    documents: source.documents,
    rules: rulesOf(union),
    owned: source.roots.map((root) => (root === '' ? [] : root.split('/'))),
    reserved,
  }
  return withDocuments({ ...union, data: own.data, opa: served }, documents)
}
const GENERATED = 'opa/entries.rego'

/** The bundle over these documents of the user's: another revision, the same rules. */
export function withDocuments(bundle: ServedBundle, documents: Documents): ServedBundle {
  const { opa } = bundle
  if (opa === undefined) return bundle
  const own = Object.entries(bundle.data as Documents).filter(([name]) =>
    opa.reserved.includes(name),
  )
  const text = canonicalJson({ ...documents, ...Object.fromEntries(own) })
  const revision = `sha256:${createHash('sha256').update(text).digest('hex')}`
  return { ...bundle, data: JSON.parse(text) as Json, revision }
}

export function withPushed(
  documents: Documents,
  pushed: ReadonlyMap<string, Json | undefined>,
): Documents {
  const all = new Map<string, Json>(Object.entries(documents))
  for (const [name, value] of pushed)
    if (value === undefined) all.delete(name)
    else all.set(name, value)
  return Object.fromEntries(all)
}

function moved(modules: Sources): Sources {
  return Object.fromEntries(Object.entries(modules).map(([path, text]) => [FOLDER + path, text]))
}

/** The user's policies by themselves: their mistakes are told in their own files, and their entry points are found. */
async function annotatedIn(
  modules: Sources,
  documents: Documents,
  asked: readonly string[],
  compiler: Compiler,
): Promise<readonly string[]> {
  if (Object.keys(modules).every((path) => path.endsWith('_test.rego'))) return []
  const sources = { ...modules, 'data.json': JSON.stringify(documents) }
  const alone = await compiler.build(sources, { capabilities: 'compat', entrypoints: asked })
  return [...alone.entrypoints].sort()
}

/** Partial rules: the one that a query names is evaluated, the others are not. */
function generate(entrypoints: readonly string[]): string {
  const rules = entrypoints.map((name) => {
    const at = name.split('/').map((part) => `[${JSON.stringify(part)}]`)
    return `value[${JSON.stringify(name)}] := document if {
	input.facts.query.entrypoint == ${JSON.stringify(name)}
	nanoseconds := input.now * 1000000000
	document := data${at.join('')} with input as input.facts.claimed.input with time.now_ns as nanoseconds
}
`
  })
  return ['package assay.opa.entries\n', ...rules].join('\n')
}

/** Where the plan has rules of the user's. */
function rulesOf({ plan }: Bundle): readonly (readonly string[])[] {
  const { funcs } = plan as { funcs?: { funcs?: readonly { path: readonly string[] }[] | null } }
  const paths = (funcs?.funcs ?? []).map(({ path }) => path.slice(1))
  const users = paths.filter(([root]) => root !== undefined && root !== OWN_PACKAGE)
  return [...new Map(users.map((path) => [path.join('/'), path])).values()]
}

function checkNames(names: readonly string[], reserved: readonly string[]): void {
  const taken = names.find((name) => reserved.includes(name))
  if (taken !== undefined)
    throw new BundleError(
      WHO,
      'reserved_name',
      `data.${taken} belongs to Assay's own policies; rename the package or the document`,
    )
}

const PACKAGE = /^(?:\s|#[^\n]*(?:\n|$))*package[ \t]+([A-Za-z_]\w*)(?=[\s.[#]|$)/

/** The first name of each module's package. What is written in an unusual way is refused, not guessed at. */
export function packageRoots(modules: Sources): readonly string[] {
  return Object.entries(modules).map(([path, text]) => {
    const root = PACKAGE.exec(text)?.[1]
    if (root !== undefined) return root
    throw new BundleError(WHO, 'invalid_package', `${path} does not begin with a package clause`)
  })
}
