/** From records to facts: what both an evaluation and a change report about a subject, a resource and a session. */
import {
  NO_ATTRIBUTES,
  type Records,
  type ResourceRecord,
  type SessionRecord,
  type SubjectRecord,
} from './records.ts'
import type {
  ActorFact,
  PersonFact,
  RecordFact,
  Ref,
  Related,
  ResourceFact,
  SessionFact,
  SubjectFact,
} from './schema.ts'

type RelatedFacts = { readonly [name: string]: RecordFact }
const NO_RECORDS: RelatedFacts = Object.freeze({})

export const NO_SUBJECT: SubjectFact = Object.freeze({
  attributes: NO_ATTRIBUTES,
  found: false,
  related: NO_RECORDS,
})
export const NO_RESOURCE: ResourceFact = NO_SUBJECT

/** What most records come to without a further read; a decision waits only where it has to. */
type Now<T> = Promise<T> | T

/** With the records it points to and, for one that acts for a person, that person: one step, no further. */
export function subjectFact(
  ref: Ref,
  record: SubjectRecord | undefined,
  records: Records,
): Now<SubjectFact> {
  const { id, type } = ref
  if (!record) return { attributes: NO_ATTRIBUTES, found: false, id, related: NO_RECORDS, type }
  const { acts_for: person, attributes, incarnation } = record
  if (!person && pointsNowhere(record))
    return { attributes, found: true, id, incarnation, related: NO_RECORDS, type }
  return subjectWithOthers(ref, record, records)
}

async function subjectWithOthers(
  { id, type }: Ref,
  { acts_for: person, attributes, incarnation, related: refs }: SubjectRecord,
  records: Records,
): Promise<SubjectFact> {
  const [related, acting] = await Promise.all([
    relatedFacts(refs, records),
    person && personFact(person, records),
  ])
  if (!acting) return { attributes, found: true, id, incarnation, related, type }
  return { acts_for: acting, attributes, found: true, id, incarnation, related, type }
}

export function resourceFact(
  { id, type }: Ref,
  record: ResourceRecord | undefined,
  records: Records,
): Now<ResourceFact> {
  if (!record) return { attributes: NO_ATTRIBUTES, found: false, id, related: NO_RECORDS, type }
  const { attributes } = record
  if (pointsNowhere(record)) return { attributes, found: true, id, related: NO_RECORDS, type }
  return relatedFacts(record.related, records).then((related) => ({
    attributes,
    found: true,
    id,
    related,
    type,
  }))
}

/** Both, at once where neither has to be waited for. */
export function both<A, B>(a: Now<A>, b: Now<B>): Now<readonly [A, B]> {
  return a instanceof Promise || b instanceof Promise ? Promise.all([a, b]) : [a, b]
}

function pointsNowhere({ related }: ResourceRecord): boolean {
  for (const name in related) if (Object.hasOwn(related, name)) return false
  return true
}

async function relatedFacts(related: Related, records: Records): Promise<RelatedFacts> {
  const names = Object.keys(related)
  const facts = await Promise.all(
    names.map(async (name): Promise<[string, RecordFact]> => {
      const ref = related[name]!
      return [name, recordFact(ref, await records.resource(ref))]
    }),
  )
  return Object.fromEntries(facts)
}

async function personFact(ref: Ref, records: Records): Promise<PersonFact> {
  const { id, type } = ref
  const [record, roles] = await Promise.all([records.subject(ref), records.roles(ref)])
  if (!record) return { attributes: NO_ATTRIBUTES, found: false, id, roles, type }
  const { attributes, incarnation } = record
  return { attributes, found: true, id, incarnation, roles, type }
}

/** The peer, where the store knows it as a subject: its kind is the type. Never from the body. */
export async function actorFact(ref: Ref, records: Records): Promise<ActorFact> {
  const [record, roles] = await Promise.all([records.subject(ref), records.roles(ref)])
  const { attributes, found, id, type } = recordFact(ref, record)
  return { attributes, found, id, roles, type }
}

function recordFact({ id, type }: Ref, record: ResourceRecord | undefined): RecordFact {
  return { attributes: record?.attributes ?? NO_ATTRIBUTES, found: record !== undefined, id, type }
}

export function sessionFact(id: string, record: SessionRecord | undefined): SessionFact {
  if (!record) return { found: false, id }
  const { expires, incarnation, opened, roles, subject } = record
  return { expires, found: true, id, incarnation, opened, roles, subject }
}
