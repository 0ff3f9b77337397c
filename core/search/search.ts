/**
 * One search, from a query to a page in the log. Rego cannot enumerate: a plugin names candidates from an index, and each is decided as a dry
 * run of the same action would be. A result is what that allows. There is no short list: what cannot be answered in full is an error.
 */
import type { Committed } from '../commit.ts'
import type { Core } from '../core.ts'
import { type DecisionRecord, type Draft, decisionId, recordWithin } from '../decision.ts'
import { NoDecision, type NoDecisionCode } from '../error.ts'
import type { Json } from '../json.ts'
import { searchAction } from '../log/leaves.ts'
import { observed } from '../observe.ts'
import type { Request } from '../request.ts'
import { utf8 } from '../utf8.ts'
import { PageTokens } from './pagetoken.ts'
import {
  notSearchable,
  overBudget,
  type Page,
  Searching,
  type SearchTask,
  type Start,
} from './searching.ts'

export interface SearchRequest extends Pick<SearchTask, 'deadline' | 'kind' | 'request'> {
  readonly waitForSeal: boolean
  readonly limit?: number
  readonly token?: string
}
/** A page that is in the log. */
export interface Searched {
  readonly draft: Draft
  readonly record: DecisionRecord
  readonly committed: Committed
  readonly results: readonly Json[]
  readonly nextToken: string
}

/** A search takes as long as thousands of decisions, so only some run at a time. */
export class Searches {
  readonly #core: Core
  readonly #tokens: PageTokens
  #underWay = 0

  constructor(core: Core) {
    this.#core = core
    this.#tokens = new PageTokens(core.store)
  }

  /** @throws NoDecision */
  async run(asked: SearchRequest): Promise<Searched> {
    const { maxSearches } = this.#core.limits
    if (this.#underWay >= maxSearches) {
      const full = `${maxSearches} searches are under way`
      throw new NoDecision('overloaded', full, { retryAfterMs: 1000 })
    }
    this.#underWay++
    try {
      return await search(this.#core, this.#tokens, asked)
    } finally {
      this.#underWay--
    }
  }
}

/** Nothing failed here, and the same query fails again. Such a search has no leaf and is counted. */
export function isCallersToMend({ code }: NoDecision): boolean {
  return CALLERS.has(code)
}
const CALLERS: ReadonlySet<NoDecisionCode> = new Set<NoDecisionCode>([
  'invalid_page_token',
  'malformed',
  'not_searchable',
  'search_budget',
])

async function search(core: Core, tokens: PageTokens, asked: SearchRequest): Promise<Searched> {
  const plugin = core.registry.find(asked.request.action)?.plugin
  if (!plugin) throw notSearchable('no plugin answers this action')
  const policy = core.policy()
  if (!policy) throw new NoDecision('unavailable', 'no policy is active')
  const { action, obligations, payload, peer } = asked.request
  const { digest, revision } = policy
  const caller = [peer.kind, peer.id, [...obligations]]
  const boundTo = [asked.kind, action, payload.text, ...caller, digest, revision]
  const start = await startOf(asked, tokens, boundTo)
  const task: SearchTask = { ...asked, plugin, policy }
  const searching = await Searching.begin(core, task)
  const page = await searching.page(start)
  const next = page.next !== undefined && { cursor: page.next, limit: start.limit as number }
  const nextToken = next ? await tokens.seal(next, boundTo) : ''
  asked.deadline.throwIfAborted()
  const draft = draftOf(task, page, start, searching.startedAt)
  return { ...(await logged(core, draft, asked)), results: page.results, nextToken }
}

/** A token says how large its pages are; a limit beside it can only repeat that. */
async function startOf(
  { limit, token }: SearchRequest,
  tokens: PageTokens,
  boundTo: Json,
): Promise<Start> {
  if (token === undefined) return limit === undefined ? {} : { limit }
  const place = await tokens.unseal(token, boundTo)
  if (limit === undefined || limit === place.limit) return place
  throw new NoDecision('invalid_page_token', 'its pages have another limit; start over')
}

function draftOf(task: SearchTask, page: Page, start: Start, startedAt: number): Draft {
  const { kind, plugin, policy, request } = task
  const { digest, revision } = policy
  const output = {
    candidates: page.candidates,
    page: {
      continued: start.cursor !== undefined,
      limit: start.limit ?? null,
      more: page.next !== undefined,
    },
    results: page.results,
  }
  return {
    id: decisionId(startedAt),
    action: searchAction(plugin.name, kind),
    now: Math.floor(startedAt / 1000),
    policy: { digest, revision },
    answer: { allow: true, reasons: [SEARCHED], obligations: [] },
    texts: new Map([
      ['request', JSON.stringify(saidOf(kind, request))],
      ['payload', JSON.stringify(request.payload.text)],
      ['output', JSON.stringify(output)],
    ]),
    writes: [],
    outbox: 0,
  }
}
const SEARCHED = { code: 'kernel/searched', message: '', rule: 'kernel/searched' }

function saidOf(kind: string, { action, obligations, peer }: Request): Json {
  return { action, kind, obligations: [...obligations], peer: { id: peer.id, kind: peer.kind } }
}

/** Without its leaf there is no answer. The candidates' `now` may be older than that of a decision. */
async function logged(
  core: Core,
  draft: Draft,
  { waitForSeal }: SearchRequest,
): Promise<Pick<Searched, 'committed' | 'draft' | 'record'>> {
  const recorded = recordWithin(core, draft)
  if (!recorded) throw overBudget('results for one leaf')
  const { leaf, leafHash, writes } = recorded.record
  const { id } = draft
  const batch = { writes, leaf: utf8(leaf) }
  const startedAt = core.clock.now()
  const committed = await core.committer.submit({ id, batch, leafHash, startedAt, waitForSeal })
  if ('index' in committed) {
    core.watching?.decided(observed(draft, committed, waitForSeal))
    return { ...recorded, committed }
  }
  throw new NoDecision('overloaded', 'too busy to log the search', { retryAfterMs: 1000 })
}
