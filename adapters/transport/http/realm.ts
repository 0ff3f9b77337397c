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

/** The name that a target begins with, and what follows it; undefined where it names none. */
export function splitRealm(
  target: string,
): { readonly name: string; readonly rest: string } | undefined {
  if (!target.startsWith(REALMS)) return undefined
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
