/** `opa.query`: which entry point a path means, or which document lies there. The input is the caller's claim, as it came. */
import type { Json } from '../../core/json.ts'
import type { ReadPorts } from '../../core/plugin.ts'
import type { Request } from '../../core/request.ts'
import { isObject, lookUp, type Path, sorted } from './documents.ts'
import { allDocuments, documentOf } from './pushed.ts'
import { MAX_DEPTH, MAX_NAME, MAX_PATH, type OpaFacts, type Query } from './schema.ts'
import { entrypointOf, type Served } from './served.ts'

export const NO_QUERY: Query = { check: 'malformed', entrypoint: '', path: [], rest: [] }
export const NO_CHANGE: OpaFacts['change'] = { outcome: 'malformed_change', paths: [] }
const MALFORMED: OpaFacts = { change: NO_CHANGE, claimed: {}, query: NO_QUERY }

/** One guarded read when the path names no entry point, none else. */
export async function queryFacts(
  request: Request,
  read: ReadPorts,
  served: Served,
): Promise<OpaFacts> {
  const asked = readQuery(request)
  if (asked === undefined) return MALFORMED
  const { input, path } = asked
  const claimed = { input: sorted(input) }
  const entrypoint = entrypointOf(served, path)
  if (entrypoint !== undefined) {
    const rest = path.slice(entrypoint.split('/').length)
    return { change: NO_CHANGE, claimed, query: { check: 'valid', entrypoint, path, rest } }
  }
  const document = await documentAt(path, read, served)
  const query: Query = {
    check: 'valid',
    ...(document === undefined ? {} : { document: sorted(document) }),
    entrypoint: '',
    path,
    rest: [],
  }
  return { change: NO_CHANGE, claimed, query }
}

async function documentAt(path: Path, read: ReadPorts, served: Served): Promise<Json | undefined> {
  const [root, ...rest] = path
  if (root === undefined) return allDocuments(read, served)
  const document = await documentOf(root, read, served)
  return document === undefined ? undefined : lookUp(document, rest)
}

/** `{"path": [...], "input"?}`; undefined when it is something else. */
function readQuery(request: Request): { path: Path; input: Json } | undefined {
  const payload = parsed(request)
  if (!isObject(payload) || !isPath(payload.path)) return undefined
  return { path: payload.path, input: payload.input ?? null }
}

/** Undefined for what is not strict JSON or too deep. */
export function parsed(request: Request): Json | undefined {
  try {
    const value = request.payload.json()
    return depthOf(value) <= MAX_DEPTH ? value : undefined
  } catch {
    return undefined
  }
}

function depthOf(value: Json): number {
  if (typeof value !== 'object' || value === null) return 0
  return (
    1 + Object.values(value).reduce<number>((deepest, one) => Math.max(deepest, depthOf(one)), 0)
  )
}

export function isPath(value: Json | undefined): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length <= MAX_PATH &&
    value.every((name) => typeof name === 'string' && isName(name))
  )
}

/** What fits into a key of the store. */
function isName(name: string): boolean {
  return name.length > 0 && name.length <= MAX_NAME && name.isWellFormed() && !name.includes('\0')
}
