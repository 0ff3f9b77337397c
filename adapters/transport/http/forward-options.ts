/** What the forward-auth endpoint can be told, checked before a socket is opened. */
import { TransportError } from '../../../core/error.ts'
import { createRouter, type ForwardRoute, type Router } from './forward-route.ts'
import type { ForwardProxy } from './forward-wire.ts'

export interface ForwardAuthOptions {
  /** Which proxy asks, and so which headers it sets: exactly one, since another's headers could come from the client. */
  readonly proxy: ForwardProxy
  /** Where it asks; for Envoy the `path_prefix`. Default `/authorize`. */
  readonly path?: string
  /** Names under which the protected services are reached. Default: any; needed for Envoy where this server checks its own name. */
  readonly hosts?: readonly string[]
  /**
   * Who asks, where the proxy establishes it: a header that the proxy itself sets on every request, over whatever the client sent.
   * Anybody who reaches this server past the proxy can write it: `from` lists the peers, by id, whose word counts, which are then proxies
   * that authenticate themselves; another peer is asked about as itself. Default: the peer that this server authenticated.
   */
  readonly subject?: {
    readonly header: string
    /** Default `user`. */
    readonly type?: string
    /** Default: anybody, which only loopback allows without authentication. */
    readonly from?: readonly string[]
  }
  /** At most 1,000. Default: none, every question is about `{ type: 'route', id: PATH }`. */
  readonly routes?: readonly ForwardRoute[]
  /** Headers and query parameters that rules may look at, as claims in the context: at most 32 of each. They are kept in the log's openings. */
  readonly claims?: { readonly headers?: readonly string[]; readonly query?: readonly string[] }
  /** A header that tells the upstream who it is, as `type/id`, percent-encoded; on every allow. */
  readonly upstreamHeader?: string
}

export interface ForwardAuth {
  readonly proxy: ForwardProxy
  readonly path: string
  readonly hosts: ReadonlySet<string> | undefined
  readonly subject:
    | {
        readonly header: string
        readonly type: string
        readonly from: ReadonlySet<string> | undefined
      }
    | undefined
  readonly router: Router
  /** In lower case, as the other names of headers. */
  readonly claims: { readonly headers: readonly string[]; readonly query: readonly string[] }
  readonly upstreamHeader: string | undefined
}

const PROXIES: readonly string[] = ['caddy', 'envoy', 'nginx', 'traefik']

/** @throws TransportError `invalid_options` */
export function readForwardAuth(options: ForwardAuthOptions): ForwardAuth {
  const { claims = {}, hosts, path = '/authorize', proxy, routes = [], subject } = options
  if (!PROXIES.includes(proxy)) throw invalid(`proxy is one of ${PROXIES.join(', ')}`)
  if (!/^(?:\/[a-z0-9_-]+)+$/.test(path))
    throw invalid('path has segments of lower-case letters, digits, - and _, as /authorize')
  const { headers = [], query = [] } = claims
  if (headers.length > 32 || query.length > 32) throw invalid('claims are at most 32 of each kind')
  if (routes.length > 1000) throw invalid('routes are at most 1,000')
  const { upstreamHeader } = options
  return {
    proxy,
    path,
    hosts: hosts && new Set(hosts.map((host) => host.toLowerCase())),
    subject: subject && {
      header: headerName(subject.header),
      type: subject.type ?? 'user',
      from: subject.from && new Set(subject.from),
    },
    router: createRouter(routes),
    claims: { headers: headers.map(claimedHeader), query },
    upstreamHeader: upstreamHeader === undefined ? undefined : headerName(upstreamHeader),
  }
}

/** What a header holds ends up in the openings: no place for what somebody else could log in with. */
function claimedHeader(name: string): string {
  const lower = headerName(name)
  if (/^(?:proxy-)?authorization$|cookie/.test(lower))
    throw invalid(`${lower} is a secret, no claim`)
  return lower
}

function headerName(name: string): string {
  if (/^[a-z0-9-]{1,128}$/i.test(name)) return name.toLowerCase()
  throw invalid('a header has a name of letters, digits and -')
}

function invalid(what: string): TransportError {
  return new TransportError('transport/http', 'invalid_options', `forwardAuth: ${what}`)
}
