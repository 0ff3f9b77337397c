/** Reads the payloads of the actions that change state. They are closed: an unknown member is a problem, never a default. */
import type { Request } from '../../core/request.ts'
import { type Evaluation, readEvaluation } from './evaluate.ts'
import { type Members, own, type Reader } from './reader.ts'
import {
  type Change,
  MAX_IMPORT,
  MAX_IMPORT_WRITES,
  MAX_JUSTIFICATION,
  type Ref,
  type ResourceState,
  type SubjectState,
} from './schema.ts'

/** A change and the records that it names. */
export interface Wanted {
  readonly change: Change
  /** What a request for access is about, in full: it must be what was denied. */
  readonly evaluation?: Evaluation
  /** The name of a request for access. */
  readonly request?: string
  readonly resource?: Ref
  readonly session?: string
  readonly subject?: Ref
}
type ReadChange = (members: Members, reader: Reader) => Wanted

const role: ReadChange = (members, reader) => {
  reader.closed(members, '', ['role', 'subject'])
  return {
    change: { role: reader.name(own(members, 'role'), '/role') },
    subject: reader.ref(own(members, 'subject'), '/subject'),
  }
}

const openSession: ReadChange = (members, reader) => {
  reader.closed(members, '', ['expires', 'roles', 'session', 'subject'])
  const expires = own(members, 'expires')
  if (!Number.isSafeInteger(expires)) reader.fail('/expires', 'whole Unix seconds')
  return {
    change: {
      expires: typeof expires === 'number' ? expires : 0,
      roles: reader.roles(own(members, 'roles'), '/roles'),
    },
    session: reader.name(own(members, 'session'), '/session'),
    subject: reader.ref(own(members, 'subject'), '/subject'),
  }
}

const closeSession: ReadChange = (members, reader) => {
  reader.closed(members, '', ['session'])
  return { change: {}, session: reader.name(own(members, 'session'), '/session') }
}

const putSubject: ReadChange = (members, reader) => {
  reader.closed(members, '', ['acts_for', 'attributes', 'related', 'subject'])
  const { acts_for, attributes, related } = subjectState(members, '', reader)
  return {
    change: { ...(acts_for && { acts_for }), attributes, related },
    subject: reader.ref(own(members, 'subject'), '/subject'),
  }
}

const putResource: ReadChange = (members, reader) => {
  reader.closed(members, '', ['attributes', 'related', 'resource'])
  return {
    change: state(members, '', reader),
    resource: reader.ref(own(members, 'resource'), '/resource'),
  }
}

const removeSubject: ReadChange = (members, reader) => {
  reader.closed(members, '', ['subject'])
  return { change: {}, subject: reader.ref(own(members, 'subject'), '/subject') }
}

const removeResource: ReadChange = (members, reader) => {
  reader.closed(members, '', ['resource'])
  return { change: {}, resource: reader.ref(own(members, 'resource'), '/resource') }
}

const importState: ReadChange = (members, reader) => {
  reader.closed(members, '', ['resources', 'subjects'])
  const resources = list(members, 'resources', reader, importedResource)
  const subjects = list(members, 'subjects', reader, importedSubject)
  if (resources.length + subjects.length > MAX_IMPORT)
    reader.fail('/', `at most ${MAX_IMPORT} records`)
  const assigned = subjects.filter(({ roles }) => roles.length > 0)
  const named = new Set(assigned.flatMap(({ roles }) => roles))
  if (resources.length + subjects.length + assigned.length + named.size > MAX_IMPORT_WRITES)
    reader.fail('/', `at most ${MAX_IMPORT_WRITES} records, assignments and roles`)
  return { change: { resources, subjects } }
}

/** A request has the id of the denied evaluation, so one denial is good for one request. */
const request: ReadChange = (members, reader) => {
  const known = ['action', 'context', 'denial', 'justification', 'resource', 'subject', 'until']
  reader.closed(members, '', known)
  const justification = own(members, 'justification')
  return {
    change: {
      ...(justification !== undefined && {
        justification: reader.text(justification, '/justification', MAX_JUSTIFICATION),
      }),
      ...until(members, reader),
    },
    evaluation: readEvaluation(members, reader),
    request: reader.name(own(members, 'denial'), '/denial'),
  }
}

const approveRequest: ReadChange = (members, reader) => {
  reader.closed(members, '', ['request', 'until'])
  const name = reader.name(own(members, 'request'), '/request')
  return { change: until(members, reader), request: name }
}

const ofRequest: ReadChange = (members, reader) => {
  reader.closed(members, '', ['request'])
  return { change: {}, request: reader.name(own(members, 'request'), '/request') }
}

function until(members: Members, reader: Reader): Pick<Change, 'until'> {
  const wanted = own(members, 'until')
  if (wanted === undefined) return {}
  if (typeof wanted === 'number' && Number.isSafeInteger(wanted)) return { until: wanted }
  reader.fail('/until', 'whole Unix seconds')
  return {}
}

const CHANGES: ReadonlyMap<string, ReadChange> = new Map([
  ['access.approve-request', approveRequest],
  ['access.assign', role],
  ['access.close-session', closeSession],
  ['access.deny-request', ofRequest],
  ['access.import', importState],
  ['access.open-session', openSession],
  ['access.put-resource', putResource],
  ['access.put-subject', putSubject],
  ['access.remove-resource', removeResource],
  ['access.remove-subject', removeSubject],
  ['access.request', request],
  ['access.revoke', role],
  ['access.revoke-approval', ofRequest],
  ['access.show-request', ofRequest],
  ['access.withdraw-request', ofRequest],
])
export const CHANGE_ACTIONS: readonly string[] = [...CHANGES.keys()]

/** @throws TypeError for an action that is not one of {@link CHANGE_ACTIONS}: the kernel dispatches no other */
export function readChange(request: Request, reader: Reader): Wanted {
  const read = CHANGES.get(request.action)
  if (!read) throw new TypeError('access does not answer this action')
  return read(reader.payload(request.payload), reader)
}

function state(members: Members, at: string, reader: Reader): Omit<ResourceState, 'id' | 'type'> {
  return {
    attributes: reader.stored(own(members, 'attributes'), `${at}/attributes`),
    related: reader.related(own(members, 'related'), `${at}/related`),
  }
}

function subjectState(
  members: Members,
  at: string,
  reader: Reader,
): Omit<SubjectState, 'id' | 'type'> {
  const person = own(members, 'acts_for')
  if (person === undefined) return state(members, at, reader)
  reader.closed(reader.object(person, `${at}/acts_for`), `${at}/acts_for`, ['id', 'type'])
  return { acts_for: reader.ref(person, `${at}/acts_for`), ...state(members, at, reader) }
}

function importedResource(members: Members, at: string, reader: Reader): ResourceState {
  reader.closed(members, at, ['attributes', 'id', 'related', 'type'])
  const { attributes, related } = state(members, at, reader)
  const { id, type } = reader.ref(members, at)
  return { attributes, id, related, type }
}

function importedSubject(
  members: Members,
  at: string,
  reader: Reader,
): SubjectState & { readonly roles: readonly string[] } {
  reader.closed(members, at, ['acts_for', 'attributes', 'id', 'related', 'roles', 'type'])
  const { acts_for, attributes, related } = subjectState(members, at, reader)
  const { id, type } = reader.ref(members, at)
  const wanted = own(members, 'roles')
  const roles = wanted === undefined ? [] : reader.roles(wanted, `${at}/roles`)
  return { ...(acts_for && { acts_for }), attributes, id, related, roles, type }
}

/** Each record once: two of one name would leave it to chance which one stays. */
function list<T extends Ref>(
  members: Members,
  name: 'resources' | 'subjects',
  reader: Reader,
  read: (members: Members, at: string, reader: Reader) => T,
): readonly T[] {
  const value = own(members, name)
  if (value === undefined) return []
  const seen = new Set<string>()
  return reader.items(value, `/${name}`, MAX_IMPORT).map((item, i) => {
    const at = `/${name}/${i}`
    const record = read(reader.object(item, at), at, reader)
    const key = JSON.stringify([record.type, record.id])
    if (seen.has(key)) reader.fail(at, 'each record once')
    seen.add(key)
    return record
  })
}
