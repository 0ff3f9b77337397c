/**
 * What a search may find: every subject or resource of the type that the store knows, or every action that the policy names. About each, an
 * evaluation is asked: the query, with the candidate in the place of what is searched for.
 *
 * @see https://openid.net/specs/authorization-api-1_0.html section 8
 */
import type {
  Candidate,
  CandidateReads,
  Candidates,
  MalformedQuery,
  Query,
} from '../../core/plugin.ts'
import { Payload } from '../../core/request.ts'
import { EVALUATE, readEvaluation } from './evaluate.ts'
import { rangesOf } from './keys.ts'
import { own, Reader } from './reader.ts'
import type { ResourceRecord, SubjectRecord } from './records.ts'
import { MAX_TYPE } from './schema.ts'

type Found = Pick<Candidate, 'cursor' | 'entity'>

export async function candidates(
  query: Query,
  after: string | undefined,
  limit: number,
  read: CandidateReads,
): Promise<Candidates | MalformedQuery> {
  const { kind } = query
  const known = readQuery(query)
  if ('malformed' in known) return known
  const { about, type, unused } = known
  const found =
    kind === 'action'
      ? actionsAfter(query.actions, after, limit)
      : await recordsAfter(rangesOf(kind, type), after, limit, read)
  const last = found.length === limit ? found.at(-1)?.cursor : undefined
  return {
    items: found.map(({ cursor, entity }) => ({ cursor, entity, payload: about(entity) })),
    ...(last === undefined ? {} : { next: last }),
    unused: about(unused),
  }
}

/** Of an evaluation, what the query says, and of what is searched for only the type, where it has one. */
function readQuery({ action, kind, payload, unused }: Query):
  | MalformedQuery
  | {
      readonly about: (entity: Candidate['entity']) => Payload
      readonly type: string
      readonly unused: Candidate['entity']
    } {
  if (action !== EVALUATE) return { malformed: `only ${EVALUATE} can be searched` }
  const reader = new Reader()
  const members = reader.payload(payload)
  const named = kind === 'action' ? undefined : reader.object(own(members, kind), `/${kind}`)
  const type = named === undefined ? '' : reader.name(own(named, 'type'), `/${kind}/type`, MAX_TYPE)
  const nothing = kind === 'action' ? { name: unused } : { id: unused, type }
  readEvaluation({ ...members, [kind]: nothing }, reader)
  if (reader.problem !== undefined) return { malformed: reader.problem }
  return {
    about: (entity) => Payload.fromParsed({ ...members, [kind]: entity }),
    type,
    unused: nothing,
  }
}

function actionsAfter(
  names: readonly string[],
  after: string | undefined,
  limit: number,
): readonly Found[] {
  const from = after === undefined ? 0 : names.indexOf(after) + 1
  return names.slice(from, from + limit).map((name) => ({ cursor: name, entity: { name } }))
}

async function recordsAfter(
  ranges: readonly string[],
  after: string | undefined,
  limit: number,
  read: CandidateReads,
): Promise<readonly Found[]> {
  const found: Found[] = []
  for (const range of ranges) {
    if (found.length === limit) break
    for (const { sort, value } of await read.page(range, after, limit - found.length)) {
      const { id, type } = value as unknown as ResourceRecord | SubjectRecord
      found.push({ cursor: sort, entity: { type, id } })
    }
  }
  return found
}
