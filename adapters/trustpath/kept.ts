/** The policies that served, as the kernel keeps them beside its log: sources and data, by digest and revision. */
import { concatBytes } from '../../core/crypto.ts'
import { PARTITION } from '../../core/decision.ts'
import { type Json, parseJson } from '../../core/json.ts'
import type { CapabilitySet, Compiler, Sources } from '../../core/ports/compiler.ts'
import type { DataOperation } from '../../core/ports/engine.ts'
import type { Store } from '../../core/ports/store.ts'
import { revisionAfter, revisionOf } from '../../core/revision.ts'
import { patched } from '../engine/data/index.ts'
import type { Value } from '../engine/value/value.ts'

export interface KeptPolicy {
  readonly capabilities: CapabilitySet
  readonly entrypoints: readonly string[]
  readonly sources: Sources
  readonly data: Json
  /** What the data that are kept come to: of a changed document, by way of every change. */
  readonly revision: string
}
/** What the kernel keeps: all of a policy, or what changed of its data since the revision before. */
type Row =
  | Omit<KeptPolicy, 'revision'>
  | { readonly previous: string; readonly operations: readonly DataOperation[] }

const LIMITS = { maxBytes: 256 * 1024 * 1024, maxDepth: 64 }

/** Undefined where no such policy was ever active here. @throws StoreError, JsonError, PatchError */
export async function keptPolicy(
  store: Store,
  digest: string,
  revision: string,
): Promise<KeptPolicy | undefined> {
  const changes: (readonly DataOperation[])[] = []
  // Whoever wrote over the rows could have made a circle of them.
  const seen = new Set([revision])
  let row = await keptRow(store, digest, revision)
  while (row !== undefined && 'operations' in row) {
    changes.unshift(row.operations)
    if (seen.has(row.previous)) return undefined
    seen.add(row.previous)
    row = await keptRow(store, digest, row.previous)
  }
  if (row === undefined) return undefined
  const named = changes.reduce(revisionAfter, revisionOf(row.data))
  // What is not the history that the revision names need not even fit together.
  const data = named === revision ? changes.reduce(patched, row.data as Value) : row.data
  return { ...row, data: data as Json, revision: named }
}

async function keptRow(store: Store, digest: string, revision: string): Promise<Row | undefined> {
  const parts: Uint8Array[] = []
  for (;;) {
    const sort = `${digest}/${revision}${parts.length === 0 ? '' : `/${parts.length}`}`
    const row = await store.get({ partition: PARTITION.policy, sort })
    if (!row) break
    parts.push(row.value)
  }
  if (parts.length === 0) return undefined
  return parseJson(concatBytes(parts), LIMITS) as unknown as Row
}

/** Why these are not the sources and data that the two digests name; undefined when they are. @throws CompilerError */
export async function keptProblem(
  kept: KeptPolicy,
  { policy, revision }: { readonly policy: string; readonly revision: string },
  compiler: Compiler,
): Promise<string | undefined> {
  if (kept.revision !== revision) return 'the data that is kept is not of this revision'
  const { capabilities, entrypoints, sources } = kept
  const options = { capabilities, entrypoints: askedFor(entrypoints) }
  const { digest } = await compiler.build(sources, options)
  return digest === policy ? undefined : `the sources that are kept give the digest ${digest}`
}

/** A bundle lists first what was asked for, in order, then what the sources annotate: asking for those too would list them elsewhere. */
export function askedFor(entrypoints: readonly string[]): readonly string[] {
  const after = entrypoints.findIndex((name, i) => i > 0 && name < (entrypoints[i - 1] ?? ''))
  return after < 0 ? entrypoints : entrypoints.slice(0, after)
}
