/** Whom an authorizer's question is about. */
import type { Peer } from '../../../core/request.ts'
import { linesOf, type Shape } from './events.ts'

/** What is known of a caller's credentials: header lines by lower-case name. A TOKEN authorizer's token is the line `authorization`. */
export type Lines = ReadonlyMap<string, readonly string[]>

/** @throws anything: then nobody is identified, and the answer is no */
export type Identify = (lines: Lines) => Peer | Promise<Peer>

export function credentialsOf(event: Shape): Lines {
  if (event.type === 'TOKEN')
    return new Map([['authorization', [String(event.authorizationToken)]]])
  return linesOf(event)
}
