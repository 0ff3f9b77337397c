/**
 * Realms on one server: each is served under `/realms/NAME/` as if it were alone there. Which one a request is for stands in its target,
 * as it came, and nowhere else; whether its caller belongs there is the guard's to say.
 */
import type { RequestListener } from 'node:http'
import { Refusal } from './answer.ts'

export const REALMS = '/realms/'
const NAME = /^[a-z][a-z0-9-]{0,31}$/

export function isRealmName(name: string): boolean {
  return NAME.test(name)
}

export function wrongRealm(): Refusal {
  return new Refusal('wrong_realm', 'this is not your realm')
}

/** AuthZEN inserts it between the host and the path of a decision point (section 9.2). */
export const WELL_KNOWN = '/.well-known/authzen-configuration'

/** Whether a path belongs to a realm, there or not. */
export function namesRealm(path: string): boolean {
  return path.startsWith(REALMS) || path.startsWith(WELL_KNOWN + REALMS)
}

/** The name that a target has, and the target within that realm; undefined where it names none. */
export function splitRealm(
  target: string,
): { readonly name: string; readonly rest: string } | undefined {
  if (!namesRealm(target)) return undefined
  if (target.startsWith(WELL_KNOWN)) {
    const name = target.slice(WELL_KNOWN.length + REALMS.length).replace(/\?.*$/, '')
    return { name, rest: WELL_KNOWN }
  }
  const end = target.indexOf('/', REALMS.length)
  return end < 0 ? undefined : { name: target.slice(REALMS.length, end), rest: target.slice(end) }
}

/** Hands each request to its realm, with a target as if that realm were alone. */
export function realmListener(
  own: RequestListener,
  realms: ReadonlyMap<string, RequestListener>,
): RequestListener {
  return (incoming, outgoing) => {
    const split = splitRealm(incoming.url ?? '')
    const listener = split && realms.get(split.name)
    if (split === undefined || listener === undefined) return own(incoming, outgoing)
    incoming.url = split.rest
    return listener(incoming, outgoing)
  }
}
