/**
 * One decision, from a request to an answer. A plugin turns bytes into facts; a policy turns facts into a verdict; the kernel turns a
 * verdict into effects. Whatever fails on the way is a denial with a leaf of its own. Steps as in `docs/architecture.md`.
 */
import type { Committed } from './commit.ts'
import type { Core } from './core.ts'
import { type DecisionRecord, type Draft, recordWithin } from './decision.ts'
import { Denial } from './denial.ts'
import { planEffects } from './effects.ts'
import { NoDecision } from './error.ts'
import { checkFloor, factsProblem } from './floor.ts'
import type { Registered } from './registry.ts'
import { Trial, type TrialOptions } from './trial.ts'
import { utf8 } from './utf8.ts'
import { readVerdict, type Verdict } from './verdict.ts'

/** A decision that is in the log. */
export interface Decided {
  readonly draft: Draft
  readonly record: DecisionRecord
  readonly committed: Committed
}

/** It was decided before, under the same idempotency key. */
export interface Recalled {
  readonly decided: string
}

/** Step 1, the frame, is the transport's. @throws NoDecision */
export async function decide(core: Core, options: TrialOptions): Promise<Decided | Recalled> {
  for (let attempt = 1; attempt <= core.limits.maxAttempts; attempt++) {
    const trial = await Trial.begin(core, options)
    if (trial.decided !== undefined) return { decided: trial.decided }
    const draft = await deliberate(core, trial)
    const done = await commit(core, trial, draft)
    if (done) return done
  }
  const trial = await Trial.begin(core, options)
  const done = await commit(core, trial, trial.denied('contended'))
  if (done) return done
  throw new NoDecision('overloaded', 'too busy to decide in time', { retryAfterMs: 1000 })
}

/** Steps 2 to 5. Throws only when the caller gave up. */
export async function deliberate(core: Core, trial: Trial): Promise<Draft> {
  try {
    const registered = core.registry.find(trial.request.action) // 2 plugin: exactly one, or none
    if (!registered) throw new Denial('no_plugin')
    const facts = await gatherFacts(registered, trial) // 3 facts: verified, then parsed, then checked
    trial.steps?.factsEnd()
    const verdict = await askPolicy(registered, trial) // 4 verdict
    checkFloor(registered, facts, verdict, trial.request)
    const planned = await planEffects(verdict, trial.planning(registered)) // 5 effects, from the closed table
    if ('failure' in planned) throw new Denial(planned.failure)
    return trial.draft(verdict, planned)
  } catch (error) {
    if (error instanceof NoDecision) throw error
    trial.steps?.factsEnd()
    return trial.denied(error instanceof Denial ? error.code : 'plugin_failed')
  }
}

async function gatherFacts(registered: Registered, trial: Trial): Promise<object> {
  const { request, now, deadline } = trial
  const facts = await deadline.race(
    registered.plugin.facts(request, trial.readsFor(registered.plugin), now, deadline.signal),
  )
  if (factsProblem(registered, facts) !== undefined) throw new Denial('invalid_facts')
  trial.setFacts(registered, facts)
  return facts
}

async function askPolicy(registered: Registered, trial: Trial): Promise<Verdict> {
  if (!trial.policy) throw new Denial('no_policy')
  const asked = trial.ask(trial.policy, registered.entrypoint)
  const verdict = readVerdict(asked instanceof Promise ? await asked : asked)
  if ('problem' in verdict) throw new Denial('invalid_verdict')
  return verdict
}

/** Steps 6 and 7: writes, outbox, leaf and the check of every guarded read in one batch; undefined when it has to be made again. */
async function commit(core: Core, trial: Trial, draft: Draft): Promise<Decided | undefined> {
  trial.deadline.throwIfAborted()
  trial.steps?.policyEnd()
  const recorded = recordWithin(core, draft) ?? recordWithin(core, trial.denied('too_large', true))
  if (!recorded) throw new NoDecision('unavailable', 'not even a denial fits into the store')
  const { id } = recorded.draft
  const { leaf, leafHash, writes } = recorded.record
  const batch = { writes, leaf: utf8(leaf) }
  const { startedAt, waitForSeal } = trial
  const committed = await core.committer.submit({ id, batch, leafHash, startedAt, waitForSeal })
  if (!('index' in committed)) return undefined
  trial.tell(recorded.draft, committed)
  core.shadow.offer(trial, recorded.draft)
  return { ...recorded, committed }
}
