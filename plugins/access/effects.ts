/**
 * The writes that Rego may propose. Each plan is a pure function of the effect and of the records as `facts` read them; a plan that finds
 * something else than the rule promised throws, which makes the decision a denial. None may run on a deny.
 */
import { effectKind } from '../../core/effect-kind.ts'
import type { EffectContext, EffectKind, EffectPlan, EffectTable } from '../../core/plugin.ts'
import { type Schema, schema } from '../../core/schema.ts'
import {
  assignmentKey,
  membersKey,
  requestKey,
  resourceKey,
  sessionKey,
  subjectKey,
} from './keys.ts'
import type { AssignmentRecord, MembersRecord, RequestRecord, SubjectRecord } from './records.ts'
import {
  type Grant,
  MAX_GRANTS,
  members,
  type Ref,
  type RequestState,
  type ResourceState,
  type SubjectState,
} from './schema.ts'

type Write = NonNullable<EffectPlan['writes']>[number]

const { integer, literal, object } = schema
const { attributes, grant, name, reference, related, request, resources, roles, subjects, type } =
  members

/** All of them only write. */
function kind<E extends object>(
  checked: Schema<E>,
  plan: (effect: E, context: EffectContext) => readonly Write[],
): EffectKind {
  return effectKind(checked, (effect, context) => ({ writes: plan(effect, context) }))
}

const state = { attributes, id: name, related, type }

const putSubject = kind(
  object({ kind: literal('access.put-subject'), ...state }, { acts_for: reference }),
  (effect, context) => [subjectWrite(effect, context)],
)

const putResource = kind(object({ kind: literal('access.put-resource'), ...state }), (effect) => [
  resourceWrite(effect),
])

const removeSubject = kind(
  object({ kind: literal('access.remove-subject'), subject: reference }),
  ({ subject }, context) => {
    const held = rolesOf(subject, context)
    return [
      { remove: subjectKey(subject) },
      ...heldWrites(subject, [], [], context),
      ...held.map((role) => membersWrite(role, -1, context)),
    ]
  },
)

const removeResource = kind(
  object({ kind: literal('access.remove-resource'), resource: reference }),
  ({ resource }) => [{ remove: resourceKey(resource) }],
)

const assignRole = kind(
  object({ kind: literal('access.assign-role'), role: name, subject: reference }),
  ({ role, subject }, context) => {
    const held = rolesOf(subject, context)
    if (held.includes(role)) throw new RangeError('the role is assigned already')
    return [...assignmentWrites(subject, [...held, role], context), membersWrite(role, 1, context)]
  },
)

const revokeRole = kind(
  object({ kind: literal('access.revoke-role'), role: name, subject: reference }),
  ({ role, subject }, context) => {
    const held = rolesOf(subject, context)
    if (!held.includes(role)) throw new RangeError('the role is not assigned')
    const left = held.filter((other) => other !== role)
    return [...assignmentWrites(subject, left, context), membersWrite(role, -1, context)]
  },
)

const openSession = kind(
  object({
    expires: integer(),
    id: name,
    kind: literal('access.open-session'),
    roles,
    subject: reference,
  }),
  ({ expires, id, roles, subject }, { now, read }) => {
    const { incarnation } = existing(read(subjectKey(subject))) as unknown as SubjectRecord
    const opened = { expires, id, incarnation, opened: now, roles, subject: plain(subject) }
    return [{ put: sessionKey(id), value: opened }]
  },
)

const closeSession = kind(object({ id: name, kind: literal('access.close-session') }), ({ id }) => [
  { remove: sessionKey(id) },
])

const importState = kind(
  object({ kind: literal('access.import'), resources, subjects }),
  (effect, context) => {
    const counts = new Map<string, number>()
    for (const role of effect.subjects.flatMap(({ roles = [] }) => roles))
      counts.set(role, (counts.get(role) ?? 0) + 1)
    return [
      ...effect.subjects.map((subject) => subjectWrite(subject, context)),
      ...effect.subjects
        .filter(({ roles = [] }) => roles.length > 0)
        .flatMap((subject) => assignmentWrites(subject, subject.roles ?? [], context)),
      ...[...counts].map(([role, added]) => membersWrite(role, added, context)),
      ...effect.resources.map(resourceWrite),
    ]
  },
)

const putRequest = kind(
  object({ kind: literal('access.put-request'), state: request }),
  ({ state }, { decisionId, read }) => {
    const sort = requestKey(state.id)
    const known = read(sort) as unknown as RequestRecord | undefined
    const approval = known?.approval ?? (state.status === 'approved' ? decisionId : undefined)
    return [{ put: sort, value: { ...(approval && { approval }), state: requestJson(state) } }]
  },
)

const grantAccess = kind(
  object({ grant, kind: literal('access.grant'), subject: reference }),
  ({ grant, subject }, context) => {
    const kept = grantsOf(subject, context).filter(({ until }) => until > context.now)
    if (kept.length >= MAX_GRANTS) throw new RangeError('as many grants as a subject may have')
    return heldWrites(subject, rolesOf(subject, context), [...kept, grant], context)
  },
)

const revokeGrant = kind(
  object({ kind: literal('access.revoke-grant'), request: name, subject: reference }),
  ({ request, subject }, context) => {
    const kept = grantsOf(subject, context).filter((granted) => granted.request !== request)
    return heldWrites(subject, rolesOf(subject, context), kept, context)
  },
)

export const accessEffects: EffectTable = {
  'access.assign-role': assignRole,
  'access.close-session': closeSession,
  'access.grant': grantAccess,
  'access.import': importState,
  'access.open-session': openSession,
  'access.put-request': putRequest,
  'access.put-resource': putResource,
  'access.put-subject': putSubject,
  'access.remove-resource': removeResource,
  'access.remove-subject': removeSubject,
  'access.revoke-grant': revokeGrant,
  'access.revoke-role': revokeRole,
}

const plain = ({ id, type }: Ref): { readonly id: string; readonly type: string } => ({ id, type })

function existing<T>(record: T | undefined): T {
  if (record === undefined) throw new RangeError('the record does not exist')
  return record
}

/** A replaced record stays the same subject; a new one is a new incarnation. */
function subjectWrite(subject: SubjectState, { decisionId, read }: EffectContext): Write {
  const { acts_for, attributes, id, related, type } = subject
  const known = read(subjectKey(subject)) as unknown as SubjectRecord | undefined
  const incarnation = known?.incarnation ?? decisionId
  return {
    put: subjectKey(subject),
    value: {
      ...(acts_for && { acts_for: plain(acts_for) }),
      attributes,
      id,
      incarnation,
      related: relatedJson(related),
      type,
    },
  }
}

function resourceWrite(resource: ResourceState): Write {
  const { attributes, id, related, type } = resource
  return {
    put: resourceKey(resource),
    value: { attributes, id, related: relatedJson(related), type },
  }
}

function relatedJson(related: ResourceState['related']): {
  readonly [name: string]: { readonly id: string; readonly type: string }
} {
  return Object.fromEntries(Object.entries(related).map(([name, ref]) => [name, plain(ref)]))
}

function rolesOf(subject: Ref, { read }: EffectContext): readonly string[] {
  const record = read(assignmentKey(subject)) as unknown as AssignmentRecord | undefined
  return record?.roles ?? []
}

function grantsOf(subject: Ref, { read }: EffectContext): readonly Grant[] {
  const record = read(assignmentKey(subject)) as unknown as AssignmentRecord | undefined
  return record?.grants ?? []
}

/** Other roles, the same grants. */
function assignmentWrites(
  subject: Ref,
  roles: readonly string[],
  context: EffectContext,
): readonly Write[] {
  return heldWrites(subject, roles, grantsOf(subject, context), context)
}

/** An assignment without roles and grants is no record. */
function heldWrites(
  subject: Ref,
  roles: readonly string[],
  grants: readonly Grant[],
  { read }: EffectContext,
): readonly Write[] {
  const sort = assignmentKey(subject)
  const { id, type } = subject
  if (roles.length + grants.length === 0) return read(sort) === undefined ? [] : [{ remove: sort }]
  const value = {
    ...(grants.length > 0 && { grants: grants.map(grantJson) }),
    id,
    roles: [...roles].sort(),
    type,
  }
  return [{ put: sort, value }]
}

const grantJson = ({ action, request, resource, until }: Grant) => ({
  action,
  request,
  resource: plain(resource),
  until,
})

function requestJson(state: RequestState) {
  const { requester, resource, subject } = state
  return {
    ...state,
    requester: { id: requester.id, kind: requester.kind },
    resource: plain(resource),
    subject: plain(subject),
  }
}

function membersWrite(role: string, change: number, { read }: EffectContext): Write {
  const sort = membersKey(role)
  const known = read(sort) as unknown as MembersRecord | undefined
  const members = (known?.members ?? 0) + change
  if (members < 0) throw new RangeError('fewer than no members')
  return members === 0 ? { remove: sort } : { put: sort, value: { members, role } }
}
