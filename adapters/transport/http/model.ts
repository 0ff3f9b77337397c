/**
 * The AuthZEN information model: subject, action, resource and context, read out of a request's members. Unknown members are ignored, so
 * that a client of a later version is served.
 *
 * @see https://openid.net/specs/authorization-api-1_0.html section 5
 */
import type { Json } from '../../../core/json.ts'
import { Payload } from '../../../core/request.ts'
import { Refusal } from './answer.ts'
import { isObject, type Members } from './frame.ts'

/** The kernel action that decides every evaluation. */
export const EVALUATE = 'access.evaluate'

/** What a request names; each one whole, or inherited whole from a batch's defaults. */
export interface Parts {
  readonly subject: Json | undefined
  readonly action: Json | undefined
  readonly resource: Json | undefined
  readonly context: Json | undefined
}

/** Members that are null count as absent. */
export function partsOf(members: Members, defaults?: Parts): Parts {
  return {
    subject: members.subject ?? defaults?.subject,
    action: members.action ?? defaults?.action,
    resource: members.resource ?? defaults?.resource,
    context: members.context ?? defaults?.context,
  }
}

/** The payload of `access.evaluate`, in a fixed member order. @throws Refusal `invalid_request` */
export function evaluationPayload(parts: Parts): Payload {
  const subject = readEntity('subject', parts.subject)
  const action = readAction(parts.action)
  const resource = readEntity('resource', parts.resource)
  const context = readMap('context', parts.context)
  return Payload.fromParsed(
    context === undefined ? { subject, action, resource } : { subject, action, resource, context },
  )
}

export function readEntity(name: string, value: Json | undefined): Json {
  const entity = readPart(name, value)
  const named = {
    type: readText(`${name}.type`, entity.type),
    id: readText(`${name}.id`, entity.id),
  }
  const properties = readMap(`${name}.properties`, entity.properties)
  return properties === undefined ? named : { ...named, properties }
}

export function readAction(value: Json | undefined): Json {
  const action = readPart('action', value)
  const name = readText('action.name', action.name)
  const properties = readMap('action.properties', action.properties)
  return properties === undefined ? { name } : { name, properties }
}

export function readPart(name: string, value: Json | undefined): Members {
  if (isObject(value)) return value
  throw new Refusal(
    'invalid_request',
    `${name} is ${value === undefined ? 'missing' : 'not an object'}`,
  )
}

export function readText(name: string, value: Json | undefined): string {
  if (typeof value === 'string') return value
  throw new Refusal(
    'invalid_request',
    `${name} is ${value === undefined ? 'missing' : 'not a string'}`,
  )
}

export function readMap(name: string, value: Json | undefined): Members | undefined {
  if (value === undefined || value === null) return undefined
  if (isObject(value)) return value
  throw new Refusal('invalid_request', `${name} is not an object`)
}
