/**
 * Where each record lies in the plugin's partition. Two different names never share a key: `/` and `%` within a name are escaped, and a
 * pair that would exceed the store's limit of 512 bytes lies under the SHA-256 of its type and of both, in a form that no short pair has.
 * So all records of one type lie in two ranges.
 */
import { sha256TextBase64url } from '../../core/crypto.ts'
import type { Ref } from './schema.ts'

/** UTF-8 bytes of both names; leaves room for the prefix. */
const MAX_LITERAL = 400
const SPECIAL = /[%/]/
const encoder = new TextEncoder()

const escapeName = (name: string): string =>
  SPECIAL.test(name) ? name.replaceAll('%', '%25').replaceAll('/', '%2F') : name

function keyOf(prefix: string, { id, type }: Ref): string {
  const literal = `${escapeName(type)}/${escapeName(id)}`
  // A UTF-16 unit has at most three UTF-8 bytes: short names need no count.
  const fits = literal.length * 3 <= MAX_LITERAL || encoder.encode(literal).length <= MAX_LITERAL
  return fits
    ? `${prefix}/${literal}`
    : `${hashedRange(prefix, type)}${sha256TextBase64url(`${type}\n${id}`)}`
}

const hashedRange = (prefix: string, type: string): string =>
  `${prefix}~/${sha256TextBase64url(type)}/`

/** Prefixes of the keys of all subjects, or all resources, of one type; in UTF-8 byte order. */
export function rangesOf(kind: 'resource' | 'subject', type: string): readonly string[] {
  return [`${kind}/${escapeName(type)}/`, hashedRange(kind, type)]
}

export const subjectKey = (subject: Ref): string => keyOf('subject', subject)
export const resourceKey = (resource: Ref): string => keyOf('resource', resource)
/** The roles that a subject was assigned. Exists only beside its subject. */
export const assignmentKey = (subject: Ref): string => keyOf('assignment', subject)
/** How many subjects hold a role. */
export const membersKey = (role: string): string => keyOf('members', { id: role, type: 'role' })
/** A request for access, under the id of the evaluation that was denied. */
export const requestKey = (id: string): string => keyOf('request', { id, type: 'id' })
export const sessionKey = (id: string): string => keyOf('session', { id, type: 'id' })
