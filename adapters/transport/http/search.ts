/**
 * What is permitted, instead of whether: all subjects, resources or actions with which an evaluation would allow. One search is one
 * decision with one leaf. What is searched for is named by its type alone; its id and its properties are ignored.
 *
 * @see https://openid.net/specs/authorization-api-1_0.html section 8
 */
import type { Json } from '../../../core/json.ts'
import type { Kernel, SearchOptions, SearchResult, SearchSubmission } from '../../../core/kernel.ts'
import type { SearchKind } from '../../../core/plugin.ts'
import { Payload, type Peer } from '../../../core/request.ts'
import { type Answer, jsonAnswer, Refusal } from './answer.ts'
import type { Call } from './call.ts'
import {
  decisionHeaders,
  type Members,
  readObject,
  readWishes,
  receiptMember,
  type Wishes,
} from './frame.ts'
import { EVALUATE, readAction, readEntity, readMap, readPart, readText } from './model.ts'
import { declaredBy } from './obligations.ts'
import type { Limits } from './options.ts'

/** Larger pages are not refused, they come as several of this size. */
const LARGEST_PAGE = 1000

/** POST /access/v1/search/{subject,resource,action} */
export async function search(
  kind: SearchKind,
  kernel: Kernel,
  limits: Limits,
  call: Call,
  peer: Peer,
): Promise<Answer> {
  const members = await readObject(call, limits.maxBodyBytes)
  const page = readPage(members.page)
  const wishes = declaredBy(members.context, readWishes(call, peer, limits.seal))
  const submission = submissionOf(kind, members, wishes)
  const found = await kernel.search(submission, { ...wishes.options, ...page })
  const paged = page !== undefined || found.nextToken !== ''
  return jsonAnswer(
    {
      ...(paged ? { page: { next_token: found.nextToken, count: found.results.length } } : {}),
      ...(wishes.receipt ? { context: await receiptMember(found) } : {}),
      results: found.results,
    } satisfies SearchAnswer,
    decisionHeaders(found),
  )
}

interface SearchAnswer {
  readonly page?: { readonly next_token: string; readonly count: number }
  readonly context?: object
  readonly results: SearchResult['results']
}

function submissionOf(kind: SearchKind, members: Members, wishes: Wishes): SearchSubmission {
  const { obligations, peer } = wishes
  const payload = queryPayload(kind, members)
  const submission = { kind, action: EVALUATE, payload, peer }
  return obligations === undefined ? submission : { ...submission, obligations }
}

/** As an evaluation's payload, but for what is looked for. @throws Refusal `invalid_request` */
function queryPayload(kind: SearchKind, members: Members): Payload {
  const named = (part: 'resource' | 'subject'): Json =>
    kind === part ? readType(part, members[part]) : readEntity(part, members[part])
  const subject = named('subject')
  const action = kind === 'action' ? undefined : readAction(members.action)
  const resource = named('resource')
  const context = readMap('context', members.context)
  return Payload.fromParsed({
    subject,
    ...(action === undefined ? {} : { action }),
    resource,
    ...(context === undefined ? {} : { context }),
  })
}

function readType(name: string, value: Json | undefined): Json {
  return { type: readText(`${name}.type`, readPart(name, value).type) }
}

/** Undefined where the caller asks for no pages. */
function readPage(value: Json | undefined): Pick<SearchOptions, 'limit' | 'token'> | undefined {
  const page = readMap('page', value)
  if (page === undefined) return undefined
  readMap('page.properties', page.properties)
  const { limit, token } = page
  return {
    ...(limit === undefined || limit === null ? {} : { limit: readLimit(limit) }),
    ...(token === undefined || token === null ? {} : { token: readToken(token) }),
  }
}

function readLimit(limit: Json): number {
  if (typeof limit === 'number' && Number.isInteger(limit) && limit >= 1)
    return Math.min(limit, LARGEST_PAGE)
  throw new Refusal('invalid_request', 'page.limit is a whole number from 1')
}

/** The empty token of a last page names no further one; to start over would be an endless loop for who does not look. */
function readToken(token: Json): string {
  const text = readText('page.token', token)
  if (text === '')
    throw new Refusal('invalid_request', 'page.token is empty: there is no next page')
  return text
}
