/** Decisions of the log made again under another policy, from what they were made of: nothing is written, nobody is asked. */

import type { DecisionLeaf, ShadowLeaf } from '../../core/log/leaves.ts'
import type { Policy } from '../../core/ports/engine.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import type { Registry } from '../../core/registry.ts'
import { changeBetween, deniedFor, type Outcome, outcomeOf } from '../../core/shadow/compare.ts'
import { type Again, outcomeUnder, questionOf, recordedDecisions, reopened } from './recorded.ts'
import { type Comparison, Comparisons } from './report.ts'

export interface ReplayOptions {
  readonly log: LogStore
  readonly store: Store
  readonly registry: Registry
  readonly policy: Policy
  /** The newest decisions only. */
  readonly last?: number
}
export interface Replay {
  readonly comparisons: readonly Comparison[]
  readonly replayed: number
  /** Erased, of a plugin that is not configured, or denied for what only the engine of then can tell. */
  readonly notReplayable: number
  /** No policy was asked then, so that another one changes nothing. */
  readonly notAsked: number
}

export async function replay({ last, log, ...options }: ReplayOptions): Promise<Replay> {
  const comparisons = new Comparisons()
  const counts = { replayed: 0, notReplayable: 0, notAsked: 0 }
  for (const leaf of await recordedDecisions(log, last)) {
    const again = await reopened(leaf, options)
    if (typeof again === 'string') {
      counts[again === 'not_asked' ? 'notAsked' : 'notReplayable']++
      continue
    }
    counts.replayed++
    comparisons.add(await compared(leaf, again, options.policy))
  }
  return { comparisons: comparisons.all, ...counts }
}

async function compared(leaf: DecisionLeaf, again: Again, policy: Policy): Promise<ShadowLeaf> {
  const question = questionOf(again)
  const { openings } = again
  const { verdict } = openings
  const live =
    verdict === undefined ? deniedFor(leaf.reasons) : outcomeOf(question, JSON.parse(verdict.json))
  return windowOf(leaf, policy, live, await outcomeUnder(policy, again))
}

/** One decision as if it were a shadow's window. */
function windowOf(
  { action, id, policy, revision, time }: DecisionLeaf,
  { digest, revision: shadowRevision }: Policy,
  live: Outcome,
  shadow: Outcome,
): ShadowLeaf {
  const change = changeBetween(live, shadow)
  const sides = { live: live.reasons, shadow: shadow.reasons }
  return {
    type: 'assay.shadow/v1',
    from: time,
    to: time,
    policy,
    revision,
    shadow: digest,
    shadowRevision,
    compared: 1,
    dropped: 0,
    differences:
      change === undefined ? [] : [{ action, change, ...sides, count: 1, examples: [id] }],
  }
}
