/**
 * What `access` reports: the same five fields for each of its actions. A field that an action has no use for is there and empty, so that
 * rules, commitments and inline caches see one shape. Every object's members are sorted by name.
 */
import type { Json } from '../../core/json.ts'
import type { FactsSchema } from '../../core/plugin.ts'
import type { Peer } from '../../core/request.ts'
import { type Schema, schema } from '../../core/schema.ts'

/** UTF-16 units. */
export const MAX_TYPE = 64
/** UTF-16 units: ids, role, session and action names. */
export const MAX_NAME = 256
/** Levels of objects and arrays within one attribute or claim. */
export const MAX_DEPTH = 8
/** Attributes of one record, claims of one object. */
export const MAX_ATTRIBUTES = 256
/** UTF-16 units of one record's attributes as JSON text. */
export const MAX_ATTRIBUTES_TEXT = 16_384
/** Records that one record may point to. */
export const MAX_RELATED = 8
/** Roles in one assignment, session or list. */
export const MAX_ROLES = 64
/** Subjects and resources in one `access.import`. */
export const MAX_IMPORT = 500
/** Records that an import comes to, assignments and numbers of members included: stores take about 1,000 writes in a batch. */
export const MAX_IMPORT_WRITES = 900
/** Approved requests that one subject has at a time. */
export const MAX_GRANTS = 64
/** UTF-16 units of what a requester gives as the reason. */
export const MAX_JUSTIFICATION = 1024

export type Attributes = { readonly [name: string]: Json }
export interface Ref {
  readonly id: string
  readonly type: string
}

/** Said by the caller, checked by nobody. */
export interface Claimed {
  readonly action: Attributes
  readonly context: Attributes
  readonly resource: Attributes
  readonly subject: Attributes
}

/** A record as the store has it; `found: false` has no attributes. */
export interface RecordFact extends Ref {
  readonly attributes: Attributes
  readonly found: boolean
}
/** The person for whom a program acts. */
export interface PersonFact extends RecordFact {
  readonly incarnation?: string
  readonly roles: readonly string[]
}
export interface SubjectFact extends Partial<Ref> {
  readonly acts_for?: PersonFact
  readonly attributes: Attributes
  /** Of an import: the subjects that exist already. */
  readonly existing?: readonly Ref[]
  readonly found: boolean
  /** The decision that created the record: one that was removed and made again is another one. */
  readonly incarnation?: string
  readonly related: { readonly [name: string]: RecordFact }
}
export interface ResourceFact extends Partial<Ref> {
  readonly attributes: Attributes
  readonly existing?: readonly Ref[]
  readonly found: boolean
  readonly related: { readonly [name: string]: RecordFact }
}

/** Times are Unix seconds. */
export interface SessionFact {
  readonly expires?: number
  readonly found: boolean
  readonly id: string
  readonly incarnation?: string
  readonly opened?: number
  readonly roles?: readonly string[]
  readonly subject?: Ref
}
/** Who asks for a change, when the peer is a subject in the store. */
export interface ActorFact extends RecordFact {
  readonly roles: readonly string[]
}
/** What one approved request permits: this action on this resource, before `until`. */
export interface Grant {
  readonly action: string
  readonly request: string
  readonly resource: Ref
  readonly until: number
}
/** The evaluation that a request for access is about. `valid`: it was made, of this very tuple. */
export interface DenialFact {
  readonly check: 'mismatch' | 'unknown' | 'valid'
  /** Until when its denial can be followed by a request; absent where it cannot. */
  readonly expires?: number
}
/** Times are Unix seconds. */
export interface RequestState {
  readonly action: string
  readonly created: number
  readonly expires: number
  /** The evaluation that was denied, which gives the request its name. */
  readonly id: string
  readonly incarnation: string
  readonly justification?: string
  readonly requester: Peer
  readonly resource: Ref
  readonly revoked?: number
  readonly status: 'approved' | 'cancelled' | 'denied' | 'pending'
  readonly subject: Ref
  /** Of an approved one: when it ends. Else: the end that was asked for. */
  readonly until?: number
}
export interface RequestFact {
  /** The decision that approved it. */
  readonly approval?: string
  readonly found: boolean
  readonly id: string
  readonly state?: RequestState
}
export interface RolesFact {
  readonly actor?: ActorFact
  readonly assigned: readonly string[]
  readonly denial?: DenialFact
  /** Only where there are any; ended ones too, until the next change. */
  readonly grants?: readonly Grant[]
  /** How many subjects hold each role that the change names. */
  readonly members?: { readonly [role: string]: number }
  /** The request for access that the action is about. */
  readonly request?: RequestFact
  /** The session that the request names. */
  readonly session?: SessionFact
}

export interface Related {
  readonly [name: string]: Ref
}
export interface ResourceState extends Ref {
  readonly attributes: Attributes
  readonly related: Related
}
export interface SubjectState extends ResourceState {
  readonly acts_for?: Ref
  readonly roles?: readonly string[]
}
/** What a change asks for, beside the subject, resource and session that it names. */
export interface Change {
  readonly acts_for?: Ref
  readonly attributes?: Attributes
  readonly expires?: number
  readonly justification?: string
  readonly related?: Related
  readonly resources?: readonly ResourceState[]
  readonly role?: string
  readonly roles?: readonly string[]
  readonly subjects?: readonly SubjectState[]
  readonly until?: number
}
export interface PayloadFact {
  /** The name of the AuthZEN action, for `access.evaluate` and for requests for access. */
  readonly action?: string
  readonly change?: Change
  readonly check: 'malformed' | 'valid'
  /** Where a malformed payload went wrong: a JSON Pointer and what was expected there. */
  readonly problem?: string
}

export interface AccessFacts {
  readonly claimed: Claimed
  readonly payload: PayloadFact
  readonly resource: ResourceFact
  readonly roles: RolesFact
  readonly subject: SubjectFact
}

const { array, boolean, integer, json, literal, object, record, string } = schema
const name: Schema<string> = string({ maxLength: MAX_NAME })
const ref = { id: name, type: string({ maxLength: MAX_TYPE }) }
const reference: Schema<Ref> = object(ref)
const attributes: Schema<Attributes> = record(json({ maxDepth: MAX_DEPTH }), {
  maxMembers: MAX_ATTRIBUTES,
})
const roles: Schema<readonly string[]> = array(name, { maxItems: MAX_ROLES })
const incarnation: Schema<string> = string({ maxLength: 64 })
const fact: Schema<RecordFact> = object({ attributes, found: boolean(), ...ref })
const facts = record(fact, { maxMembers: MAX_RELATED })
const holder: Schema<ActorFact> = object({ attributes, found: boolean(), roles, ...ref })
const existing: Schema<readonly Ref[]> = array(reference, { maxItems: MAX_IMPORT })
const person: Schema<PersonFact> = object(
  { attributes, found: boolean(), roles, ...ref },
  { incarnation },
)
const session: Schema<SessionFact> = object(
  { found: boolean(), id: name },
  { expires: integer(), incarnation, opened: integer(), roles, subject: reference },
)

const grant: Schema<Grant> = object({
  action: name,
  request: name,
  resource: reference,
  until: integer(),
})
const justification: Schema<string> = string({ maxLength: MAX_JUSTIFICATION })
const request: Schema<RequestState> = object(
  {
    action: name,
    created: integer(),
    expires: integer(),
    id: name,
    incarnation,
    requester: object({ id: name, kind: name }),
    resource: reference,
    status: literal('approved', 'cancelled', 'denied', 'pending'),
    subject: reference,
  },
  { justification, revoked: integer(), until: integer() },
)

/** Shared with the effects, which write what these describe. */
export const members: {
  readonly attributes: Schema<Attributes>
  readonly grant: Schema<Grant>
  readonly name: Schema<string>
  readonly reference: Schema<Ref>
  readonly related: Schema<Related>
  readonly request: Schema<RequestState>
  readonly resources: Schema<readonly ResourceState[]>
  readonly roles: Schema<readonly string[]>
  readonly subjects: Schema<readonly SubjectState[]>
  readonly type: Schema<string>
} = (() => {
  const related = record(reference, { maxMembers: MAX_RELATED })
  const state = { attributes, related, ...ref }
  return {
    attributes,
    grant,
    name,
    reference,
    related,
    request,
    resources: array(object(state), { maxItems: MAX_IMPORT }),
    roles,
    subjects: array(object(state, { acts_for: reference, roles }), { maxItems: MAX_IMPORT }),
    type: ref.type,
  }
})()

const change: Schema<Change> = object(
  {},
  {
    acts_for: reference,
    attributes,
    expires: integer(),
    justification,
    related: members.related,
    resources: members.resources,
    role: name,
    roles,
    subjects: members.subjects,
    until: integer(),
  },
)

const claims: Schema<Claimed> = object({
  action: attributes,
  context: attributes,
  resource: attributes,
  subject: attributes,
})
const payload: Schema<PayloadFact> = object(
  { check: literal('malformed', 'valid') },
  { action: name, change, problem: string({ maxLength: 256 }) },
)
const resource: Schema<ResourceFact> = object(
  { attributes, found: boolean(), related: facts },
  { existing, id: name, type: ref.type },
)
const held: Schema<RolesFact> = object(
  { assigned: roles },
  {
    actor: holder,
    denial: object({ check: literal('mismatch', 'unknown', 'valid') }, { expires: integer() }),
    grants: array(grant, { maxItems: MAX_GRANTS }),
    members: record(integer({ min: 0 }), { maxMembers: MAX_IMPORT_WRITES }),
    request: object({ found: boolean(), id: name }, { approval: name, state: request }),
    session,
  },
)
const subject: Schema<SubjectFact> = object(
  { attributes, found: boolean(), related: facts },
  { acts_for: person, existing, id: name, incarnation, type: ref.type },
)

/** @param actions those that a malformed payload can never be allowed for: all of them */
export function accessSchema(actions: readonly string[]): FactsSchema<AccessFacts> {
  return {
    claimed: { trust: 'claimed', schema: claims },
    payload: { trust: 'verified', schema: payload, evidence: { requiredFor: actions } },
    resource: { trust: 'verified', schema: resource },
    roles: { trust: 'verified', schema: held },
    subject: { trust: 'verified', schema: subject },
  }
}
