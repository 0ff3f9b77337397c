/**
 * `opa.put-data`, `opa.patch-data`, `opa.delete-data`: what the documents would become, and why not where they cannot. Whether they may is
 * for Rego to say; the new documents are what the caller sent, so they are claims.
 */
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import type { Request } from '../../core/request.ts'
import {
  change,
  type Failure,
  isObject,
  lookUp,
  makeParents,
  type Operation,
  type Path,
  sorted,
} from './documents.ts'
import { allDocuments, type DocumentRecord, documentOf } from './pushed.ts'
import { isPath, NO_QUERY, parsed } from './query.ts'
import type { OpaFacts, Outcome } from './schema.ts'
import { overlaps, type Served } from './served.ts'

export const PUT = 'opa.put-data'
export const PATCH = 'opa.patch-data'
export const DELETE = 'opa.delete-data'

interface Step {
  readonly op: Operation
  readonly path: Path
  readonly value: Json
}
/** A change as it was asked for. */
interface Wanted {
  readonly steps: readonly Step[]
  /** Objects on the way are made where they lack (a put). */
  readonly parents: boolean
  /** Only where nothing is yet. */
  readonly ifAbsent: boolean
}
type Members = { readonly [name: string]: Json }
const MAX_STEPS = 256

/** One guarded read for each top-level document that is touched. */
export async function changeFacts(
  request: Request,
  read: ReadPorts,
  served: Served,
): Promise<OpaFacts> {
  const wanted = readChange(request)
  if (wanted === undefined) return refused('malformed_change', [])
  const paths = wanted.steps.map(({ path }) => path)
  const misplaced = paths.map((path) => misplacement(path, served)).find((why) => why !== undefined)
  if (misplaced !== undefined) return refused(misplaced, paths)
  const before = await touched(paths, read, served)
  const after = apply(before, wanted)
  if ('failure' in after) return refused(after.failure, paths)
  const documents = differences(before, after.value as Members)
  if (inTheWay(documents, served)) return refused('rule_conflict', paths)
  const sizes = Object.keys(documents).length
  if (sizes > MAX_STEPS) return refused('malformed_change', paths)
  return { change: { outcome: 'applicable', paths }, claimed: { documents }, query: NO_QUERY }
}

function refused(outcome: Outcome, paths: readonly Path[]): OpaFacts {
  return { change: { outcome, paths }, claimed: {}, query: NO_QUERY }
}

function misplacement(path: Path, { owned, reserved }: Served): Outcome | undefined {
  if (owned.some((root) => overlaps(root, path))) return 'owned_by_bundle'
  const [root] = path
  return root !== undefined && reserved.includes(root) ? 'reserved_path' : undefined
}

/** The top-level documents that the paths lie in, all of them for a path that is the root. */
async function touched(paths: readonly Path[], read: ReadPorts, served: Served): Promise<Members> {
  const all = paths.some((path) => path.length === 0) ? await allDocuments(read, served) : {}
  const names = new Set([...Object.keys(all), ...paths.flatMap((path) => path.slice(0, 1))])
  const found: [string, Json][] = []
  for (const name of [...names].sort()) {
    const document = await documentOf(name, read, served)
    if (document !== undefined) found.push([name, document])
  }
  return Object.fromEntries(found)
}

type Applied = { readonly value: Json } | { readonly failure: Failure | Outcome }

function apply(documents: Members, { ifAbsent, parents, steps }: Wanted): Applied {
  let value: Json = documents
  for (const { op, path, value: given } of steps) {
    const isThere = lookUp(value, path) !== undefined
    if (ifAbsent && isThere) return { failure: 'document_exists' }
    const made = parents && !isThere ? makeParents(value, path) : { value }
    if ('failure' in made) return made
    const changed = change(made.value, path, op === 'remove' ? { op } : { op, value: given })
    if ('failure' in changed) return changed
    if (!isObject(changed.value)) return { failure: 'invalid_change' }
    value = changed.value
  }
  return { value }
}

/** By top-level name, sorted. */
function differences(before: Members, after: Members): Readonly<Record<string, DocumentRecord>> {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  const changed = names.flatMap((name): [string, DocumentRecord][] => {
    const [old, now] = [before, after].map((all) =>
      Object.hasOwn(all, name) ? all[name] : undefined,
    )
    if (old === now) return []
    return [[name, now === undefined ? { found: false } : { found: true, value: sorted(now) }]]
  })
  return Object.fromEntries(changed)
}

/** A document may not lie where a rule does, nor hold anything but objects on the way to one. */
function inTheWay(documents: Readonly<Record<string, DocumentRecord>>, { rules }: Served): boolean {
  return rules.some((rule) => {
    const [root = '', ...rest] = rule
    if (!Object.hasOwn(documents, root)) return false
    let value: Json | undefined = documents[root]?.value
    for (const name of rest) {
      if (value === undefined) return false
      if (!isObject(value)) return true
      value = Object.hasOwn(value, name) ? value[name] : undefined
    }
    return value !== undefined
  })
}

/** Undefined when the payload is not what its action takes. */
function readChange(request: Request): Wanted | undefined {
  const payload = parsed(request)
  if (!isObject(payload)) return undefined
  const { path } = payload
  if (request.action === PATCH) {
    const steps = Array.isArray(payload.operations) ? payload.operations.map(readStep) : undefined
    if (steps === undefined || steps.length > MAX_STEPS || steps.includes(undefined))
      return undefined
    return { steps: steps as readonly Step[], parents: false, ifAbsent: false }
  }
  if (!isPath(path)) return undefined
  if (request.action === DELETE)
    return { steps: [{ op: 'remove', path, value: null }], parents: false, ifAbsent: false }
  if (payload.value === undefined) return undefined
  const step: Step = { op: 'add', path, value: payload.value }
  return { steps: [step], parents: true, ifAbsent: payload.if_absent === true }
}

function readStep(step: Json): Step | undefined {
  if (!isObject(step) || !isPath(step.path)) return undefined
  const { op, path, value = null } = step
  return op === 'add' || op === 'remove' || op === 'replace' ? { op, path, value } : undefined
}
