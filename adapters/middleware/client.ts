/**
 * `assay/client`: asks an AuthZEN 1.0 decision point over HTTP, Assay's or another's. There are two outcomes: an answer that was read
 * whole, or NoDecision, which is a deny. A network that fails, another status than 200, and an answer that is not one are the latter.
 *
 * @see https://openid.net/specs/authorization-api-1_0.html
 */
import { NoDecision } from '../../core/error.ts'
import { type Json, parseJson } from '../../core/json.ts'
import type { SearchKind } from '../../core/plugin.ts'
import { readAnswered, readMembers } from './answer.ts'
import type { Answered, DecideOptions, Decider, Evaluation } from './decider.ts'

export type * from './decider.ts'

export interface ClientOptions {
  /** The decision point's base URL: what its metadata calls `policy_decision_point`. */
  readonly url: string
  /** Bearer token, or what gives a fresh one. Default: none is sent. */
  readonly token?: string | (() => Promise<string> | string)
  /** For the whole answer to arrive, in milliseconds. Default 2,000. */
  readonly timeoutMs?: number
  /** Default: the platform's. */
  readonly fetch?: typeof fetch
}

export type Semantic = 'deny_on_first_deny' | 'execute_all' | 'permit_on_first_permit'
export interface DecideAllOptions extends DecideOptions {
  /** Default `execute_all`. The others end the list at the item that settles it. */
  readonly semantic?: Semantic
}

/** What is looked for has no id: of a subject or resource the type alone, of an action nothing. */
export interface Query {
  readonly subject: { readonly type: string; readonly id?: string }
  readonly action?: { readonly name: string }
  readonly resource: { readonly type: string; readonly id?: string }
  readonly context?: { readonly [name: string]: Json }
}
export interface SearchPage {
  readonly results: readonly Json[]
  /** For the next page, with the same query; undefined on the last one. */
  readonly nextToken?: string
}

/** @throws NoDecision everywhere */
export interface Client extends Decider {
  decide(evaluation: Evaluation, options?: DecideOptions): Promise<Answered>
  /** In the order of the questions. */
  decideAll(
    evaluations: readonly Evaluation[],
    options?: DecideAllOptions,
  ): Promise<readonly Answered[]>
  search(
    kind: SearchKind,
    query: Query,
    page?: { readonly limit?: number; readonly token?: string },
  ): Promise<SearchPage>
}

/** @throws TypeError when `url` is no URL */
export function createClient(options: ClientOptions): Client {
  return new HttpClient(options)
}

/** Longer answers are none. */
const MAX_ANSWER_BYTES = 8 * 1024 * 1024

class HttpClient implements Client {
  readonly #base: string
  readonly #options: ClientOptions

  constructor(options: ClientOptions) {
    this.#base = new URL(options.url).href.replace(/\/+$/, '')
    this.#options = options
  }

  async decide(evaluation: Evaluation, options: DecideOptions = {}): Promise<Answered> {
    const { body, id } = await this.#post('evaluation', declaring(evaluation, options), options)
    return readAnswered(body, id)
  }

  async decideAll(
    evaluations: readonly Evaluation[],
    options: DecideAllOptions = {},
  ): Promise<readonly Answered[]> {
    // A batch of none would be read as one evaluation.
    if (evaluations.length === 0) return []
    const { semantic = 'execute_all' } = options
    const declared = evaluations.map((evaluation) => declaring(evaluation, options))
    const asked = { evaluations: declared, options: { evaluations_semantic: semantic } }
    const { body, id } = await this.#post('evaluations', asked, options)
    const items = readMembers(body).evaluations
    const few = semantic === 'execute_all' ? evaluations.length : 1
    if (!Array.isArray(items) || items.length < few || items.length > evaluations.length)
      throw notAnAnswer('another number of decisions than was asked for')
    const ids = id?.split(',') ?? []
    return items.map((item: Json, i) => readAnswered(item, ids[i] === '-' ? undefined : ids[i]))
  }

  async search(
    kind: SearchKind,
    query: Query,
    page: { readonly limit?: number; readonly token?: string } = {},
  ): Promise<SearchPage> {
    const asked = Object.keys(page).length > 0 ? { ...query, page } : query
    const { body } = await this.#post(`search/${kind}`, asked)
    const { page: turned, results } = readMembers(body)
    if (!Array.isArray(results)) throw notAnAnswer('no results')
    const token = turned === undefined ? undefined : readMembers(turned).next_token
    if (token === undefined || token === '') return { results }
    if (typeof token !== 'string') throw notAnAnswer('a page token that is no string')
    return { results, nextToken: token }
  }

  async #post(
    path: string,
    asked: unknown,
    { obligations = [] }: DecideOptions = {},
  ): Promise<{ readonly body: Json; readonly id: string | undefined }> {
    const { fetch: send = fetch, timeoutMs = 2000 } = this.#options
    try {
      const response = await send(`${this.#base}/access/v1/${path}`, {
        method: 'POST',
        headers: await this.#headers(obligations),
        body: JSON.stringify(asked),
        redirect: 'error',
        signal: AbortSignal.timeout(timeoutMs),
      })
      if (response.status !== 200) throw await notDecided(response)
      const body = parseJson(await bytesOf(response), { maxBytes: MAX_ANSWER_BYTES })
      return { body, id: response.headers.get('x-decision-id') ?? undefined }
    } catch (cause) {
      if (cause instanceof NoDecision) throw cause
      throw new NoDecision('unavailable', 'the decision point gave no answer', { cause })
    }
  }

  async #headers(obligations: readonly string[]): Promise<Record<string, string>> {
    const { token } = this.#options
    const bearer = typeof token === 'function' ? await token() : token
    return {
      'content-type': 'application/json',
      // Assay's own; other decision points ignore them.
      'assay-explain': 'reasons',
      ...(obligations.length > 0 ? { 'assay-obligations': obligations.join(',') } : {}),
      ...(bearer === undefined ? {} : { authorization: `Bearer ${bearer}` }),
    }
  }
}

/** As the obligations profile has it; the header declares to Assay what that profile does not know. */
function declaring(evaluation: Evaluation, { obligations = [] }: DecideOptions): Evaluation {
  if (obligations.length === 0) return evaluation
  const context = { ...evaluation.context, supported_obligations: [...obligations] }
  return { ...evaluation, context }
}

async function bytesOf(response: Response): Promise<Uint8Array> {
  const chunks: Uint8Array<ArrayBuffer>[] = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > MAX_ANSWER_BYTES) throw notAnAnswer('too many bytes')
    chunks.push(chunk)
  }
  return new Uint8Array(await new Blob(chunks).arrayBuffer())
}

async function notDecided(response: Response): Promise<NoDecision> {
  await response.body?.cancel()
  const decisionId = response.headers.get('x-decision-id') ?? undefined
  const seconds = Number(response.headers.get('retry-after') ?? 0)
  return new NoDecision('unavailable', `the decision point answered ${response.status}`, {
    ...(Number.isFinite(seconds) && seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}),
    ...(decisionId === undefined ? {} : { decisionId }),
  })
}

function notAnAnswer(what: string): NoDecision {
  return new NoDecision('unavailable', `the decision point's answer has ${what}`)
}
