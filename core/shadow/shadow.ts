/**
 * Shadow mode: a second policy answers what the live one was asked, after the live decision is in the log and out of its way, without any
 * effect. What differs is counted by rule and logged as one leaf a window; what could not be compared in time is counted too.
 */
import { nextTurn } from '../commit.ts'
import type { Core } from '../core.ts'
import type { Draft } from '../decision.ts'
import { evaluationFailure } from '../denial.ts'
import { letGo } from '../policies.ts'
import type { Policy, PolicyInput } from '../ports/engine.ts'
import type { Trial } from '../trial.ts'
import {
  changeBetween,
  denialOf,
  deniedFor,
  type Outcome,
  outcomeOf,
  type Question,
} from './compare.ts'
import { ShadowTally } from './tally.ts'

/** Questions that wait for the shadow; more are dropped. */
const MAX_WAITING = 1024
/** Characters of input that wait. */
const MAX_WAITING_LENGTH = 16_777_216
/** When the kernel closes, the shadow has so long for what still waits. */
const DRAIN_MS = 2000

type Around = Pick<Core, 'clock' | 'deadlines' | 'limits' | 'registry' | 'watching'>

interface Waiting extends Question {
  readonly id: string
  readonly input: PolicyInput
  readonly policy: Draft['policy']
  /** The live policy's answer as JSON text; undefined where it gave none. */
  readonly verdict: string | undefined
  readonly answer: Draft['answer']
}

export interface ShadowState {
  readonly digest: string
  readonly revision: string
  /** Decisions that wait to be compared. */
  readonly waiting: number
  /** Decisions that never will be, since the kernel started. */
  readonly dropped: number
}

export class Shadow {
  readonly #core: Around
  readonly #queue: Waiting[] = []
  readonly #tally: ShadowTally
  #length = 0
  #dropped = 0
  #policy: Policy | undefined
  #running: Promise<void> | undefined
  #until = Number.POSITIVE_INFINITY

  constructor(core: Around) {
    this.#core = core
    this.#tally = new ShadowTally(core.clock)
  }

  get state(): ShadowState | undefined {
    if (this.#policy === undefined) return undefined
    const { digest, revision } = this.#policy
    return { digest, revision, waiting: this.#queue.length, dropped: this.#dropped }
  }

  /** From the next comparison on; gives back the one before. Without one, what waits is dropped. */
  swap(policy: Policy | undefined): Policy | undefined {
    const before = this.#policy
    if (policy === undefined) this.#dropAll()
    this.#policy = policy
    return before
  }

  /** A decision that is in the log. Costs its caller nothing but a place in the queue. */
  offer(trial: Trial, draft: Draft): void {
    const { asked, request } = trial
    if (this.#policy === undefined || asked === undefined) return
    const registered = this.#core.registry.find(request.action)
    if (registered === undefined) return
    const { answer, id, policy } = draft
    const { action, obligations } = request
    const waiting: Waiting = {
      id,
      input: asked,
      policy,
      answer,
      verdict: trial.verdict,
      registered,
      request: { action, obligations },
      facts: (asked.value as { facts: object }).facts,
    }
    if (this.#queue.length >= MAX_WAITING || this.#length > MAX_WAITING_LENGTH) {
      this.#drop(waiting, this.#policy)
      return
    }
    this.#queue.push(waiting)
    this.#length += asked.text.length
    this.#running ??= this.#run()
  }

  /** Leaves of the window that ends now. */
  take(): readonly string[] {
    return this.#tally.take()
  }

  /** Compares what still waits, for a while, and lets go of the policy. */
  async close(): Promise<void> {
    const { clock } = this.#core
    this.#until = clock.monotonic() + DRAIN_MS
    await this.#running
    await letGo(this.swap(undefined))
  }

  async #run(): Promise<void> {
    for (;;) {
      // Whatever serves somebody goes first.
      await nextTurn()
      if (this.#core.clock.monotonic() > this.#until) this.#dropAll()
      const waiting = this.#queue.shift()
      const policy = this.#policy
      if (waiting === undefined || policy === undefined) break
      this.#length -= waiting.input.text.length
      this.#compare(waiting, policy, await this.#ask(waiting, policy))
    }
    this.#running = undefined
  }

  /** Whatever the shadow does instead of answering is an outcome: a denial, as it would be if it were live. */
  async #ask(waiting: Waiting, policy: Policy): Promise<Outcome> {
    const { deadlines, limits } = this.#core
    try {
      const answer = policy.evaluate(waiting.registered.entrypoint, waiting.input)
      const settled =
        answer instanceof Promise ? await deadlines.start(limits.timeoutMs).race(answer) : answer
      return outcomeOf(waiting, settled)
    } catch (error) {
      return denialOf(evaluationFailure(error))
    }
  }

  #compare(waiting: Waiting, policy: Policy, shadow: Outcome): void {
    const live = liveOutcome(waiting)
    const change = changeBetween(live, shadow)
    const { id, policy: before, request } = waiting
    const { action } = request
    this.#tally.compared(before, policy, change && { action, change, id, live, shadow })
    this.#core.watching?.shadowed(action, change ?? 'same')
  }

  #drop({ policy, request }: Waiting, shadow: Policy): void {
    this.#dropped++
    this.#tally.dropped(policy, shadow)
    this.#core.watching?.shadowed(request.action, 'dropped')
  }

  #dropAll(): void {
    for (const waiting of this.#queue) if (this.#policy) this.#drop(waiting, this.#policy)
    this.#queue.length = 0
    this.#length = 0
  }
}

function liveOutcome({ answer, verdict, ...question }: Waiting): Outcome {
  return verdict === undefined
    ? deniedFor(answer.reasons.map(({ code, rule }) => ({ code, rule })))
    : outcomeOf(question, JSON.parse(verdict))
}
