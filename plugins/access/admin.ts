/** Facts for the actions that change state: the records that the change names as they are now, and who asks. */
import type { Peer } from '../../core/request.ts'
import type { Wanted } from './change.ts'
import {
  actorFact,
  NO_RESOURCE,
  NO_SUBJECT,
  resourceFact,
  sessionFact,
  subjectFact,
} from './gather.ts'
import { isName, NOTHING } from './reader.ts'
import { NO_ROLES, type Records } from './records.ts'
import {
  type AccessFacts,
  type ActorFact,
  type Claimed,
  MAX_TYPE,
  type Ref,
  type ResourceFact,
  type RolesFact,
  type SessionFact,
  type SubjectFact,
} from './schema.ts'

export const NO_CLAIMS: Claimed = Object.freeze({
  action: NOTHING,
  context: NOTHING,
  resource: NOTHING,
  subject: NOTHING,
})

export async function changeFacts(
  wanted: Wanted,
  peer: Peer,
  records: Records,
): Promise<AccessFacts> {
  const [actor, resource, session, subject] = await Promise.all([
    actorOf(peer, records),
    wantedResource(wanted, records),
    wantedSession(wanted, records),
    wantedSubject(wanted, records),
  ])
  const assigned = wanted.subject ? await records.roles(wanted.subject) : NO_ROLES
  const members = await membersOf(wanted, assigned, records)
  const roles: RolesFact = {
    ...(actor && { actor }),
    assigned,
    members,
    ...(session && { session }),
  }
  const payload = { change: wanted.change, check: 'valid' as const }
  return { claimed: NO_CLAIMS, payload, resource, roles, subject }
}

/** A peer that has no name for a record has no record. */
export async function actorOf(
  { id, kind }: Peer,
  records: Records,
): Promise<ActorFact | undefined> {
  if (!isName(id) || !isName(kind, MAX_TYPE)) return undefined
  return actorFact({ id, type: kind }, records)
}

async function wantedSession(
  { session }: Wanted,
  records: Records,
): Promise<SessionFact | undefined> {
  return session === undefined ? undefined : sessionFact(session, await records.session(session))
}

async function wantedSubject({ change, subject }: Wanted, records: Records): Promise<SubjectFact> {
  if (subject) return subjectFact(subject, await records.subject(subject), records)
  if (!change.subjects) return NO_SUBJECT
  const existing = await existingOf(change.subjects, (ref) => records.subject(ref))
  return { attributes: NOTHING, existing, found: false, related: {} }
}

async function wantedResource(
  { change, resource }: Wanted,
  records: Records,
): Promise<ResourceFact> {
  if (resource) return resourceFact(resource, await records.resource(resource), records)
  if (!change.resources) return NO_RESOURCE
  const existing = await existingOf(change.resources, (ref) => records.resource(ref))
  return { attributes: NOTHING, existing, found: false, related: {} }
}

async function existingOf(
  refs: readonly Ref[],
  find: (ref: Ref) => Promise<unknown>,
): Promise<readonly Ref[]> {
  const found = await Promise.all(refs.map(find))
  return refs.filter((_, i) => found[i] !== undefined).map(({ id, type }) => ({ id, type }))
}

/** Of every role that the change may give or take, and of an import also the assignments that it will write. */
async function membersOf(
  { change, subject }: Wanted,
  assigned: readonly string[],
  records: Records,
): Promise<{ readonly [role: string]: number }> {
  const imported = change.subjects?.filter(({ roles = NO_ROLES }) => roles.length > 0) ?? []
  await Promise.all(imported.map((ref) => records.roles(ref)))
  const named = new Set(imported.flatMap(({ roles = NO_ROLES }) => roles))
  if (change.role !== undefined) named.add(change.role)
  if (subject && change.role === undefined) for (const role of assigned) named.add(role)
  const roles = [...named].sort()
  const counts = await Promise.all(roles.map((role) => records.members(role)))
  return Object.fromEntries(roles.map((role, i) => [role, counts[i]!]))
}
