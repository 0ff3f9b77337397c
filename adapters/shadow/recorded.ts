/** Decisions of the log with what they were made of, as far as it is still there. */
import { decisionKey, decodeStored } from '../../core/decision.ts'
import { evaluationFailure } from '../../core/denial.ts'
import type { Json } from '../../core/json.ts'
import { encodeLeaf } from '../../core/log/leaf.ts'
import { type DecisionLeaf, isReplayable, isSearchAction } from '../../core/log/leaves.ts'
import { policyInput, type Receipt } from '../../core/log/receipt.ts'
import type { Policy, PolicyInput } from '../../core/ports/engine.ts'
import type { LogStore } from '../../core/ports/logstore.ts'
import type { Store } from '../../core/ports/store.ts'
import type { Registered, Registry } from '../../core/registry.ts'
import { denialOf, type Outcome, outcomeOf, type Question } from '../../core/shadow/compare.ts'
import { leavesOf } from './leaves.ts'

/** How a decision is made again. */
export interface Again {
  readonly registered: Registered
  readonly input: PolicyInput
  readonly openings: NonNullable<Receipt['openings']>
}

/**
 * Why a decision is not made again. `not_asked`: no policy was asked then, so that another one changes nothing. `erased`: its openings were
 * forgotten. `unknown_action`: no plugin of the configuration has it. `engine_only`: denied for what only the engine of then can tell, such
 * as a budget that was exhausted. `incomplete`: its openings are no input.
 */
export type Unrepeatable = 'engine_only' | 'erased' | 'incomplete' | 'not_asked' | 'unknown_action'

/** In the order of the log; the newest ones when `last` limits them. What the kernel asks itself and searches are left out. */
export async function recordedDecisions(
  log: LogStore,
  last: number = Number.POSITIVE_INFINITY,
): Promise<readonly DecisionLeaf[]> {
  const found: DecisionLeaf[] = []
  for await (const leaf of leavesOf(log, 0n)) {
    if (leaf.type !== 'assay.decision/v1') continue
    if (leaf.action.startsWith('kernel.') || isSearchAction(leaf.action)) continue
    found.push(leaf)
    if (found.length > last) found.shift()
  }
  return found
}

export async function reopened(
  leaf: DecisionLeaf,
  { registry, store }: { readonly registry: Registry; readonly store: Store },
): Promise<Again | Unrepeatable> {
  if (leaf.action === 'unknown') return 'not_asked'
  const row = await store.get(decisionKey(leaf.id))
  const openings = row && decodeStored(row.value).openings
  const registered = registry.find(leaf.action)
  if (openings === undefined) return 'erased'
  if (registered === undefined) return 'unknown_action'
  if (!isReplayable(leaf)) return 'engine_only'
  const gathered = registered.fields.every(([name]) => `facts.${name}` in leaf.commitments)
  if (!gathered) return 'not_asked'
  const input = policyInput({
    type: 'assay.receipt/v1',
    leaf: encodeLeaf(leaf),
    openings,
    proof: '',
  })
  return input === undefined ? 'incomplete' : { input, openings, registered }
}

/** What any policy is asked about it. */
export function questionOf({ input, registered }: Again): Question {
  const { facts, request } = input.value as unknown as {
    facts: object
    request: { action: string; obligations: readonly string[] }
  }
  return { registered, request, facts }
}

/** What a policy makes of it now. A policy that gives no answer denies. */
export async function outcomeUnder(policy: Policy, again: Again): Promise<Outcome> {
  let answer: Json | undefined
  try {
    answer = await policy.evaluate(again.registered.entrypoint, again.input)
  } catch (error) {
    return denialOf(evaluationFailure(error))
  }
  return outcomeOf(questionOf(again), answer)
}
