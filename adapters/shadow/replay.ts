/** Decisions of the log made again under another policy, from what they were made of: nothing is written, nobody is asked. */

import { decisionKey, decodeStored } from '../../core/decision.ts'
import { evaluationFailure } from '../../core/denial.ts'
import type { Json } from '../../core/json.ts'
import { encodeLeaf } from '../../core/log/leaf.ts'
import {
  type DecisionLeaf,
  isReplayable,
  isSearchAction,
  type ShadowLeaf,
} from '../../core/log/leaves.ts'
import { policyInput, type Receipt } from '../../core/log/receipt.ts'
import type { Policy, PolicyInput } from '../../core/ports/engine.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import type { Registered, Registry } from '../../core/registry.ts'
import {
  changeBetween,
  denialOf,
  deniedFor,
  type Outcome,
  outcomeOf,
} from '../../core/shadow/compare.ts'
import { leavesOf } from './leaves.ts'
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

/** How a decision is made again. */
interface Again {
  readonly registered: Registered
  readonly input: PolicyInput
  readonly openings: NonNullable<Receipt['openings']>
}

export async function replay({ last, log, ...options }: ReplayOptions): Promise<Replay> {
  const comparisons = new Comparisons()
  const counts = { replayed: 0, notReplayable: 0, notAsked: 0 }
  for (const leaf of await decisions(log, last ?? Number.POSITIVE_INFINITY)) {
    const again = await reopened(leaf, options)
    if (typeof again === 'string') {
      counts[again]++
      continue
    }
    counts.replayed++
    comparisons.add(await compared(leaf, again, options.policy))
  }
  return { comparisons: comparisons.all, ...counts }
}

async function decisions(log: LogStore, last: number): Promise<readonly DecisionLeaf[]> {
  const found: DecisionLeaf[] = []
  for await (const leaf of leavesOf(log, 0n)) {
    if (leaf.type !== 'assay.decision/v1') continue
    if (leaf.action.startsWith('kernel.') || isSearchAction(leaf.action)) continue
    found.push(leaf)
    if (found.length > last) found.shift()
  }
  return found
}

async function reopened(
  leaf: DecisionLeaf,
  { registry, store }: Pick<ReplayOptions, 'registry' | 'store'>,
): Promise<Again | 'notAsked' | 'notReplayable'> {
  if (leaf.action === 'unknown') return 'notAsked'
  const row = await store.get(decisionKey(leaf.id))
  const openings = row && decodeStored(row.value).openings
  const registered = registry.find(leaf.action)
  if (openings === undefined || registered === undefined || !isReplayable(leaf))
    return 'notReplayable'
  const gathered = registered.fields.every(([name]) => `facts.${name}` in leaf.commitments)
  if (!gathered) return 'notAsked'
  const input = policyInput({
    type: 'assay.receipt/v1',
    leaf: encodeLeaf(leaf),
    openings,
    proof: '',
  })
  return input === undefined ? 'notReplayable' : { input, openings, registered }
}

async function compared(
  leaf: DecisionLeaf,
  { input, openings, registered }: Again,
  policy: Policy,
): Promise<ShadowLeaf> {
  const { facts, request } = input.value as unknown as {
    facts: object
    request: { action: string; obligations: readonly string[] }
  }
  const question = { registered, request, facts }
  const { verdict } = openings
  const live =
    verdict === undefined ? deniedFor(leaf.reasons) : outcomeOf(question, JSON.parse(verdict.json))
  return windowOf(leaf, policy, live, await outcome())

  async function outcome(): Promise<Outcome> {
    let answer: Json | undefined
    try {
      answer = await policy.evaluate(registered.entrypoint, input)
    } catch (error) {
      return denialOf(evaluationFailure(error))
    }
    return outcomeOf(question, answer)
  }
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
