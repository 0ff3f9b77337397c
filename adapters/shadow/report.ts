/** What a shadow policy would have decided otherwise, added up by rule: of the leaves that a shadow left, or of decisions made again. */
import type { Change, ShadowDifference, ShadowLeaf } from '../../core/log/leaves.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import { leavesOf } from './leaves.ts'

/** Two policies that met. */
export interface Comparison
  extends Pick<ShadowLeaf, 'compared' | 'policy' | 'revision' | 'shadow' | 'shadowRevision'> {
  /** Decisions that there was no time, or nothing left, to compare. */
  readonly dropped: number
  /** The most frequent first. */
  readonly differences: readonly Difference[]
}
export interface Difference extends ShadowDifference {
  /** Of what was compared, 0 to 1. */
  readonly share: number
}

const MAX_EXAMPLES = 8

/** Adds leaves up. */
export class Comparisons {
  readonly #pairs = new Map<string, { last: ShadowLeaf; rows: Map<string, ShadowDifference> }>()

  add(leaf: ShadowLeaf): void {
    const { policy, revision, shadow, shadowRevision } = leaf
    const name = [policy, revision, shadow, shadowRevision].join('\n')
    const { last, rows } = this.#pairs.get(name) ?? { last: undefined, rows: new Map() }
    const compared = leaf.compared + (last?.compared ?? 0)
    const dropped = leaf.dropped + (last?.dropped ?? 0)
    for (const difference of leaf.differences) addRow(rows, difference)
    this.#pairs.set(name, { last: { ...leaf, compared, dropped }, rows })
  }

  /** In the order in which they first met. */
  get all(): readonly Comparison[] {
    return [...this.#pairs.values()].map(({ last, rows }) => {
      const { compared, dropped, policy, revision, shadow, shadowRevision } = last
      const differences = [...rows.values()]
        .map((row) => ({ ...row, share: row.count / compared }))
        .sort((a, b) => b.count - a.count)
      return { policy, revision, shadow, shadowRevision, compared, dropped, differences }
    })
  }
}

function addRow(rows: Map<string, ShadowDifference>, difference: ShadowDifference): void {
  const { action, change, live, shadow } = difference
  const name = JSON.stringify([action, change, live, shadow])
  const before = rows.get(name)
  rows.set(name, {
    ...difference,
    count: difference.count + (before?.count ?? 0),
    examples: [...(before?.examples ?? []), ...difference.examples].slice(0, MAX_EXAMPLES),
  })
}

/** The answer itself changes. */
export function isFlip({ change }: { readonly change: Change }): boolean {
  return change === 'allow_to_deny' || change === 'deny_to_allow'
}

/** Of everything in the log. */
export async function shadowReport(log: LogStore): Promise<readonly Comparison[]> {
  const comparisons = new Comparisons()
  for await (const leaf of leavesOf(log, 0n))
    if (leaf.type === 'assay.shadow/v1') comparisons.add(leaf)
  return comparisons.all
}
