/**
 * Where each proxy says what its client asked for. A server reads one wire form, the configured one: a header that this proxy does not
 * set may come from the client, and must not be what is decided on.
 */
import { Refusal } from './answer.ts'
import type { Call } from './call.ts'

/**
 * - `envoy`: HTTP `ext_authz`. The method and the host of the check are those of the request, its path follows the configured prefix.
 * - `nginx`: `auth_request`, with X-Original-Method, X-Original-URI and X-Original-Host set by its configuration.
 * - `traefik` (ForwardAuth) and `caddy` (`forward_auth`): X-Forwarded-Method, X-Forwarded-Uri and X-Forwarded-Host.
 */
export type ForwardProxy = 'caddy' | 'envoy' | 'nginx' | 'traefik'

/** The request that waits at the proxy. */
export interface Original {
  readonly method: string
  /** In lower case, without port. */
  readonly host: string
  readonly target: string
}

const PREFIXES: Readonly<Record<ForwardProxy, 'x-forwarded' | 'x-original' | undefined>> = {
  caddy: 'x-forwarded',
  envoy: undefined,
  nginx: 'x-original',
  traefik: 'x-forwarded',
}

/** @throws Refusal `invalid_request` when it does not come as this proxy sends it */
export function readOriginal(call: Call, proxy: ForwardProxy, path: string): Original {
  const rest = call.target.slice(path.length)
  const prefix = PREFIXES[proxy]
  if (prefix === undefined)
    return {
      method: readMethod(call.method),
      host: readHost(single(call, 'host')),
      target: rest,
    }
  if (rest !== '' && !rest.startsWith('?'))
    throw new Refusal('invalid_request', `${proxy} asks at ${path}, with nothing after it`)
  return {
    method: readMethod(single(call, `${prefix}-method`)),
    host: readHost(single(call, `${prefix}-host`)),
    target: needed(single(call, `${prefix}-uri`), 'path'),
  }
}

/** Of a header that comes twice, one may be the client's: neither is taken. @throws Refusal `invalid_header` */
export function single(call: Call, name: string): string | undefined {
  const lines = call.lines(name)
  if (lines.length > 1) throw new Refusal('invalid_header', `${name} comes more than once`)
  return lines[0]
}

function readMethod(method: string | undefined): string {
  if (/^[A-Z][A-Z0-9-]{0,31}$/.test(needed(method, 'method'))) return method as string
  throw new Refusal('invalid_request', 'the method of the request cannot be read')
}

const HOST = /^([a-z0-9._-]{1,253}?|\[[0-9a-f:.]{2,45}\])\.?(?::\d{1,5})?$/

function readHost(host: string | undefined): string {
  const name = needed(host, 'host').toLowerCase().match(HOST)?.[1]
  if (name !== undefined) return name
  throw new Refusal('invalid_request', 'the host of the request cannot be read')
}

function needed(value: string | undefined, name: string): string {
  if (value !== undefined && value !== '') return value
  throw new Refusal('invalid_request', `the proxy does not say the request's ${name}`)
}
