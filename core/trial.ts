/** One attempt at one decision: when it began, what it read, and the exact texts that its leaf will commit to. */

import { AuditedReads } from './audit/erase.ts'
import type { Committed } from './commit.ts'
import type { Core } from './core.ts'
import type { Deadline } from './deadline.ts'
import { type Answer, type Draft, decisionId, PARTITION } from './decision.ts'
import { Denial, evaluationFailure, type KernelReason, kernelReason } from './denial.ts'
import type { Planned, Planning } from './effects.ts'
import { NoDecision } from './error.ts'
import type { Claim } from './idempotency.ts'
import type { Json } from './json.ts'
import { observed, Steps } from './observe.ts'
import type { Plugin } from './plugin.ts'
import type { UnixMillis, UnixSeconds } from './ports/clock.ts'
import type { Policy, PolicyInput } from './ports/engine.ts'
import type { Write } from './ports/store.ts'
import { GuardedReads } from './reads.ts'
import type { Registered } from './registry.ts'
import type { Request } from './request.ts'
import type { Verdict } from './verdict.ts'

export interface TrialOptions {
  readonly request: Request
  readonly deadline: Deadline
  readonly idempotencyKey?: string
  readonly waitForSeal: boolean
  /** Monotonic; where somebody watches. */
  readonly admittedAt?: number
  /** Nothing is signed and nothing will be committed: the idempotency key stands for nothing. */
  readonly dryRun?: boolean
}

export class Trial {
  readonly id: string
  readonly startedAt: UnixMillis
  readonly now: UnixSeconds
  readonly request: Request
  readonly deadline: Deadline
  readonly policy: Policy | undefined
  readonly waitForSeal: boolean
  readonly steps: Steps | undefined
  /** What the policy was asked, and what it said as JSON text: for a shadow. */
  asked: PolicyInput | undefined
  verdict: string | undefined
  readonly #core: Core
  readonly #dryRun: boolean
  readonly #claim: Claim | undefined
  readonly #request: string
  readonly #confirmed: { readonly policy?: { readonly confirmed: UnixSeconds } }
  readonly #payload: string
  #factTexts: readonly (readonly [field: string, text: string])[] = []
  #factsText = ''
  #output: string | undefined
  #facts: object = {}
  #reads: GuardedReads | undefined

  private constructor(core: Core, options: TrialOptions, claim: Claim | undefined) {
    this.#core = core
    this.#claim = claim
    this.#dryRun = options.dryRun ?? false
    this.request = options.request
    this.waitForSeal = options.waitForSeal
    this.deadline = options.deadline
    this.startedAt = core.clock.now()
    this.id = decisionId(this.startedAt)
    this.now = Math.floor(this.startedAt / 1000)
    this.policy = core.policy()
    const { admittedAt } = options
    this.steps = admittedAt === undefined ? undefined : new Steps(core.clock, admittedAt)
    const { action, obligations, peer } = options.request
    const confirmed = core.policyConfirmed()
    const said = { action, obligations, peer: { id: peer.id, kind: peer.kind } }
    this.#confirmed = confirmed === undefined ? {} : { policy: { confirmed } }
    this.#request = JSON.stringify({ ...said, ...this.#confirmed })
    this.#payload = JSON.stringify(options.request.payload.text)
  }

  /** @throws NoDecision `idempotency_mismatch` */
  static begin(core: Core, options: TrialOptions): Trial | Promise<Trial> {
    const { dryRun, request, idempotencyKey } = options
    if (idempotencyKey === undefined || dryRun) return new Trial(core, options, undefined)
    return core.idempotency
      .claim(request, idempotencyKey)
      .then((claim) => new Trial(core, options, claim))
  }

  /** The decision that the idempotency key stands for already. */
  get decided(): string | undefined {
    return this.#claim && 'decided' in this.#claim ? this.#claim.decided : undefined
  }

  readsFor(plugin: Plugin): GuardedReads {
    this.#reads ??= this.#newReads(plugin)
    return this.#reads
  }

  #newReads(plugin: Plugin): GuardedReads {
    const { auditor, cache, log, store } = this.#core
    const audit = plugin.name === auditor ? new AuditedReads(store, log) : undefined
    return new GuardedReads(store, plugin, cache, audit)
  }

  setFacts(registered: Registered, facts: object): void {
    let members = ''
    const texts: [string, string][] = []
    for (const [name] of registered.fields) {
      const text = JSON.stringify((facts as Record<string, Json>)[name])
      texts.push([`facts.${name}`, text])
      members += `${members && ','}"${name}":${text}`
    }
    this.#facts = facts
    this.#factTexts = texts
    this.#factsText = members
  }

  /** Built of the very texts that the leaf commits to, so that an auditor can build it again from a receipt. */
  #policyInput(): PolicyInput {
    const { action, obligations, peer } = this.request
    return {
      text: `{"facts":{${this.#factsText}},"now":${this.now},"request":${this.#request}}`,
      value: {
        facts: this.#facts as Json,
        now: this.now,
        request: { action, obligations, peer: { ...peer }, ...this.#confirmed },
      },
    }
  }

  /** The policy's answer, as it came. @throws Denial `policy_failed`, `budget_exhausted`, `engine_mismatch`, `deadline` */
  ask(policy: Policy, entrypoint: string): Json | undefined | Promise<Json | undefined> {
    try {
      this.asked = this.#policyInput()
      const evaluated = policy.evaluate(entrypoint, this.asked)
      return evaluated instanceof Promise ? this.#late(evaluated) : this.#answered(evaluated)
    } catch (error) {
      throw policyFailed(error)
    }
  }

  /** An engine in a worker may never answer. */
  async #late(evaluated: Promise<Json | undefined>): Promise<Json | undefined> {
    try {
      return this.#answered(await this.deadline.race(evaluated))
    } catch (error) {
      throw policyFailed(error)
    }
  }

  #answered(answer: Json | undefined): Json | undefined {
    if (answer !== undefined) this.verdict = JSON.stringify(answer)
    return answer
  }

  planning(registered: Registered): Planning {
    const { custody, outboundKinds } = this.#core
    return {
      plugin: registered.plugin,
      reads: this.readsFor(registered.plugin),
      custody: this.#dryRun ? undefined : custody,
      outboundKinds,
      decisionId: this.id,
      now: this.now,
    }
  }

  /** What the policy decided. */
  draft(verdict: Verdict, planned: Planned): Draft {
    const { allow, reasons, obligations } = verdict
    const output = mergeOutput(verdict.output, planned.output)
    if (output !== verdict.output) this.#output = JSON.stringify(output)
    const answer: Answer = {
      allow,
      reasons,
      obligations,
      ...(output === undefined ? {} : { output }),
    }
    const guarded = allow || verdict.effects.length > 0
    const { outbox } = planned
    const writes = [
      ...planned.writes,
      ...outbox.map((entry, i) => this.#outboxWrite(entry, i)),
      ...(guarded && this.#reads ? this.#reads.checks(planned.writes) : []),
    ]
    return this.#draft(answer, writes, outbox.length, this.#texts())
  }

  /** The kernel's own denial. `bare`: without what was too large to keep. */
  denied(code: KernelReason, bare = false): Draft {
    const answer: Answer = { allow: false, reasons: [kernelReason(code)], obligations: [] }
    const texts = bare ? new Map([['request', this.#request]]) : this.#texts()
    return this.#draft(answer, [], 0, texts)
  }

  /** In canonical order, as the leaf needs them. */
  #texts(): ReadonlyMap<string, string> {
    const texts = new Map(this.#factTexts)
    if (this.#output !== undefined) texts.set('output', this.#output)
    texts.set('payload', this.#payload)
    texts.set('request', this.#request)
    if (this.verdict !== undefined) texts.set('verdict', this.verdict)
    return texts
  }

  #draft(answer: Answer, writes: readonly Write[], outbox: number, texts: Draft['texts']): Draft {
    const bind = this.#claim && 'bind' in this.#claim ? [this.#claim.bind(this.id)] : []
    const { id, now, policy, request } = this
    const known = this.#core.registry.find(request.action) !== undefined
    return {
      id,
      // What nobody answers may be anything: it stays in the openings.
      action: known ? request.action : 'unknown',
      now,
      policy,
      answer,
      texts,
      writes: [...writes, ...bind],
      outbox,
    }
  }

  /** Tells those who watch what is in the log now. */
  tell(draft: Draft, committed: Committed): void {
    const { watching } = this.#core
    if (watching !== undefined)
      watching.decided(observed(draft, committed, this.waitForSeal, this.steps?.durations()))
  }

  #outboxWrite(entry: Planned['outbox'][number], i: number): Write {
    const key = { partition: PARTITION.outbox, sort: `${this.id}/${i}` }
    return { put: key, value: encoder.encode(JSON.stringify(entry)), if: 'absent' }
  }
}
const encoder = new TextEncoder()

const policyFailed = (error: unknown): Denial | NoDecision =>
  error instanceof Denial || error instanceof NoDecision
    ? error
    : new Denial(evaluationFailure(error))

function mergeOutput(output: Json | undefined, more: Planned['output']): Json | undefined {
  if (Object.keys(more).length === 0) return output
  if (output === undefined) return more
  if (typeof output !== 'object' || output === null || Array.isArray(output))
    throw new Denial('effect_failed')
  return { ...output, ...more }
}
