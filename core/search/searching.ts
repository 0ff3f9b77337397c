/** The candidates of one search, decided one by one over a {@link View}, until everything that the page rests on held at one instant. */
import type { Core } from '../core.ts'
import { randomBytes, toHex } from '../crypto.ts'
import type { Deadline } from '../deadline.ts'
import { deliberate } from '../decide.ts'
import { Denial, type KernelReason } from '../denial.ts'
import { EngineError, NoDecision } from '../error.ts'
import type { Json } from '../json.ts'
import type { KeyMap } from '../keymap.ts'
import type { Candidate, Candidates, Plugin, Query, SearchKind } from '../plugin.ts'
import type { UnixMillis } from '../ports/clock.ts'
import type { Policy } from '../ports/engine.ts'
import type { Key } from '../ports/store.ts'
import type { Payload, Request } from '../request.ts'
import { compareUtf8 } from '../storage.ts'
import { Trial } from '../trial.ts'
import type { Obligation } from '../verdict.ts'
import { Pace, View } from './view.ts'

export interface SearchTask {
  readonly kind: SearchKind
  readonly request: Request
  readonly deadline: Deadline
  readonly plugin: Plugin
  readonly policy: Policy
}
/** After which candidate, and how many results: all of them where there is no limit. */
export interface Start {
  readonly cursor?: string
  readonly limit?: number
}
export interface Page {
  readonly results: readonly Json[]
  readonly candidates: number
  /** The last result's cursor, where there are more results after it. */
  readonly next?: string
}

/** What an allow obliges the caller to; undefined for a deny. */
type Granted = readonly Obligation[] | undefined

/** Candidates that a plugin is asked for at a time. */
const BATCH = 256
const MAX_CURSOR = 512

export class Searching {
  /** The `now` of every candidate. */
  readonly startedAt: UnixMillis
  readonly #core: Core
  /** As the candidates see it: one instant, one `now`, one policy. */
  readonly #seen: Core
  readonly #task: SearchTask
  readonly #query: Query
  readonly #view: View
  readonly #pace: Pace
  /** By payload: the answer, and the records that it rests on. */
  readonly #known = new Map<string, { readonly granted: Granted; readonly on: KeyMap<true> }>()

  private constructor(core: Core, task: SearchTask, query: Query, view: View, pace: Pace) {
    const startedAt = core.clock.now()
    const { clock } = core
    const still = { name: clock.name, now: () => startedAt, monotonic: () => clock.monotonic() }
    this.startedAt = startedAt
    this.#core = core
    const confirmed = core.policyConfirmed()
    const policies = { policy: () => task.policy, policyConfirmed: () => confirmed }
    this.#seen = { ...core, ...policies, clock: still, store: view }
    this.#task = task
    this.#query = query
    this.#view = view
    this.#pace = pace
  }

  /** @throws NoDecision `not_searchable` */
  static async begin(core: Core, task: SearchTask): Promise<Searching> {
    const { kind, request } = task
    const actions = kind === 'action' ? await actionsOf(task) : []
    const { action, payload } = request
    const query = { action, kind, payload, actions, unused: toHex(randomBytes(16)) }
    const pace = new Pace(core.clock)
    const view = await View.open(core.store, core.log, pace)
    return new Searching(core, task, query, view, pace)
  }

  /** What did not change meanwhile is not decided again. @throws NoDecision */
  async page(start: Start): Promise<Page> {
    for (let attempt = 1; attempt <= this.#core.limits.maxAttempts; attempt++) {
      const collected = await this.#collect(start).catch(asNoDecision)
      const held = await this.#view.held((key) => this.#forget(key))
      const failed = collected instanceof NoDecision
      if (held && !failed) return collected
      // Records of two instants may break what none of them would.
      if (failed && (held || collected.code !== 'unavailable')) throw collected
    }
    const changed = 'what the search rests on changed again and again'
    throw new NoDecision('overloaded', changed, { retryAfterMs: 1000 })
  }

  async #collect({ cursor, limit }: Start): Promise<Page> {
    const results: Json[] = []
    let candidates = 0
    let last = ''
    let after = cursor
    for (;;) {
      const { items, next, unused } = await this.#candidates(after)
      if (await this.#permits(unused)) throw notSearchable('names that no index has are permitted')
      for (const { cursor, entity, payload } of items) {
        if (++candidates > this.#core.limits.searchBudget) throw overBudget('candidates')
        const obligations = await this.#permits(payload)
        if (!obligations) continue
        if (results.length === limit) return { results, candidates, next: last }
        results.push(resultOf(entity, obligations))
        last = cursor
      }
      if (next === undefined) return { results, candidates }
      after = next
    }
  }

  async #candidates(after: string | undefined): Promise<Candidates> {
    const { deadline, plugin } = this.#task
    if (!plugin.candidates) throw notSearchable('nothing lists what may be found')
    const reads = this.#view.reads(plugin.name, this.#core.cache)
    const page = await deadline.race(plugin.candidates(this.#query, after, BATCH, reads))
    if ('malformed' in page)
      throw new NoDecision('malformed', `the query cannot be read: ${page.malformed}`)
    if (isPage(page, after)) return page
    throw new NoDecision('unavailable', `plugin/${plugin.name}: candidates are out of order`)
  }

  async #permits(payload: Payload): Promise<Granted> {
    const known = this.#known.get(payload.text)
    if (known) return known.granted
    await this.#pace.step()
    const [granted, on] = await this.#view.watched(() => this.#decide(payload))
    this.#known.set(payload.text, { granted, on })
    return granted
  }

  /** The way of a dry run. Effects are planned, since a plan that fails denies; none is performed. */
  async #decide(payload: Payload): Promise<Granted> {
    const { deadline, request } = this.#task
    const options = { request: { ...request, payload }, deadline, waitForSeal: false, dryRun: true }
    const { answer } = await deliberate(this.#seen, await Trial.begin(this.#seen, options))
    if (answer.allow) return answer.obligations
    const broken = answer.reasons.find(({ code }) => BROKEN.has(code))
    if (broken?.code === LATE) throw overBudget('milliseconds')
    if (broken) throw new NoDecision('unavailable', `a candidate cannot be decided: ${broken.code}`)
    return undefined
  }

  #forget(key: Key): void {
    for (const [text, { on }] of this.#known) if (on.has(key)) this.#known.delete(text)
  }
}

const LATE = 'kernel/deadline' satisfies `kernel/${KernelReason}`
/** Denials of broken machinery: taken for a deny, they would make the list short. */
const BROKEN: ReadonlySet<string> = new Set<`${'internal' | 'kernel'}/${KernelReason}`>([
  LATE,
  'internal/engine_mismatch',
  'kernel/budget_exhausted',
  'kernel/invalid_facts',
  'kernel/invalid_verdict',
  'kernel/plugin_failed',
  'kernel/policy_failed',
])

/** The names that the policy's rules may permit. @throws NoDecision `not_searchable` */
async function actionsOf({ deadline, plugin, policy }: SearchTask): Promise<readonly string[]> {
  const entrypoint = `assay/${plugin.name}/actions`
  if (!policy.entrypoints.includes(entrypoint))
    throw notSearchable(`the policy has no entry point ${entrypoint}`)
  try {
    const answer = policy.evaluate(entrypoint, { value: {}, text: '{}' })
    const names = answer instanceof Promise ? await deadline.race(answer) : answer
    if (Array.isArray(names) && names.every((name) => typeof name === 'string'))
      return [...new Set(names)].sort(compareUtf8)
  } catch (error) {
    if (!(error instanceof EngineError)) throw error
  }
  throw notSearchable(`${entrypoint} is no set of names`)
}

/** What the caller has to do before it acts on one result stands in that result. */
function resultOf(entity: Candidate['entity'], obligations: readonly Obligation[]): Json {
  if (obligations.length === 0) return entity
  const whole = obligations.map(({ id, type, properties = {} }) => ({ id, type, properties }))
  return { ...entity, obligations: whole }
}

function isPage({ items, next }: Candidates, after: string | undefined): boolean {
  let last = after ?? ''
  for (const { cursor } of items) {
    if (cursor.length > MAX_CURSOR || compareUtf8(cursor, last) <= 0) return false
    last = cursor
  }
  return items.length <= BATCH && (next === undefined || (items.length > 0 && next === last))
}

function asNoDecision(cause: unknown): NoDecision {
  if (cause instanceof NoDecision) return cause
  if (cause instanceof Denial) return overBudget('milliseconds')
  return new NoDecision('unavailable', 'candidates cannot be listed', { cause, retryAfterMs: 1000 })
}

export function notSearchable(what: string): NoDecision {
  return new NoDecision('not_searchable', what)
}
export function overBudget(what: string): NoDecision {
  return new NoDecision('search_budget', `too many ${what}; narrow the query or ask for pages`)
}
