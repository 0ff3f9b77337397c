/** Searches within a program: AuthZEN's queries as plain data, and what they find. */
import type { SearchOptions, SearchResult } from '../../../core/kernel.ts'
import type { SearchKind } from '../../../core/plugin.ts'
import { Payload } from '../../../core/request.ts'
import type { Obligation } from '../../../core/verdict.ts'
import type { CallOptions, Evaluation } from './embedded.ts'
import { snapshotMembers } from './plain.ts'

/** Who can, with what, and what else: an evaluation without what is searched for, of which there is the type alone. */
export interface Queries {
  readonly action: Omit<Evaluation, 'action'>
  readonly resource: Omit<Evaluation, 'resource'> & { readonly resource: { readonly type: string } }
  readonly subject: Omit<Evaluation, 'subject'> & { readonly subject: { readonly type: string } }
}
interface Entity {
  readonly type: string
  readonly id: string
}
/** `obligations`: what the program has to carry out before it acts on this one. */
export type Found<Kind extends SearchKind> = (Kind extends 'action'
  ? { readonly name: string }
  : Entity) & { readonly obligations?: readonly Obligation[] }

export interface FoundPage<Kind extends SearchKind> extends Omit<SearchResult, 'results'> {
  readonly results: readonly Found<Kind>[]
}

/** `limit`: results in a page, 1 to 1,000. Default: all of them at once. */
export type SearchCallOptions = Omit<CallOptions, 'idempotencyKey'> &
  Pick<SearchOptions, 'limit' | 'token'>

export function queryPayload<Kind extends SearchKind>(kind: Kind, query: Queries[Kind]): Payload {
  const named = kind === 'action' ? ['subject', 'resource'] : ['subject', 'action', 'resource']
  return Payload.fromParsed(snapshotMembers(query, named, ['context']))
}
