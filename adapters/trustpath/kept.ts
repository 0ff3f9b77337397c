/** The policies that served, as the kernel keeps them beside its log: sources and data, by digest and revision. */
import { canonicalJson } from '../../core/canonical.ts'
import { sha256Text, toHex } from '../../core/crypto.ts'
import { PARTITION } from '../../core/decision.ts'
import { type Json, parseJson } from '../../core/json.ts'
import type { CapabilitySet, Compiler, Sources } from '../../core/ports/compiler.ts'
import type { Store } from '../../core/ports/store.ts'

export interface KeptPolicy {
  readonly capabilities: CapabilitySet
  readonly entrypoints: readonly string[]
  readonly sources: Sources
  readonly data: Json
}

const LIMITS = { maxBytes: 256 * 1024 * 1024, maxDepth: 64 }

/** Undefined where no such policy was ever active here. @throws StoreError, JsonError */
export async function keptPolicy(
  store: Store,
  digest: string,
  revision: string,
): Promise<KeptPolicy | undefined> {
  const parts: Uint8Array[] = []
  for (;;) {
    const sort = `${digest}/${revision}${parts.length === 0 ? '' : `/${parts.length}`}`
    const row = await store.get({ partition: PARTITION.policy, sort })
    if (!row) break
    parts.push(row.value)
  }
  if (parts.length === 0) return undefined
  return parseJson(joined(parts), LIMITS) as unknown as KeptPolicy
}

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}

/** Why these are not the sources and data that the two digests name; undefined when they are. @throws CompilerError */
export async function keptProblem(
  kept: KeptPolicy,
  { policy, revision }: { readonly policy: string; readonly revision: string },
  compiler: Compiler,
): Promise<string | undefined> {
  if (`sha256:${toHex(sha256Text(canonicalJson(kept.data)))}` !== revision)
    return 'the data that is kept is not of this revision'
  const { capabilities, entrypoints, sources } = kept
  const options = { capabilities, entrypoints: askedFor(entrypoints) }
  const { digest } = await compiler.build(sources, options)
  return digest === policy ? undefined : `the sources that are kept give the digest ${digest}`
}

/** A bundle lists first what was asked for, in order, then what the sources annotate: asking for those too would list them elsewhere. */
function askedFor(entrypoints: readonly string[]): readonly string[] {
  const after = entrypoints.findIndex((name, i) => i > 0 && name < (entrypoints[i - 1] ?? ''))
  return after < 0 ? entrypoints : entrypoints.slice(0, after)
}
