/** What an authorizer can be told, checked before it answers anything. */
import { TransportError } from '../../../core/error.ts'
import type { Peer } from '../../../core/request.ts'
import type { Identify } from './identity.ts'

/** A route of the gateway, and the question that it is. */
export interface AuthorizerRoute {
  /** Default: all, which a cache does not allow. Upper case. */
  readonly methods?: readonly string[]
  /** Literal segments, `{name}` for one segment; `{name*}` at the end is one or more. */
  readonly path: string
  /** The AuthZEN action's name. */
  readonly action: string
  /** `{name}` in the id stands for what the path has there. */
  readonly resource: { readonly type: string; readonly id: string }
}

export interface Question {
  readonly action: { readonly name: string }
  readonly resource: { readonly type: string; readonly id: string }
}
/** From a method and a path as the gateway has it; undefined where no route fits. @throws anything: the path has two readings */
export type Router = (method: string, path: string) => Question | undefined

/**
 * What the gateway keeps of an answer, and so what the answer must be good for.
 * - `off`: nothing; its time to live is 0, and each answer is about one request.
 * - `caller`: by the caller's credentials alone, as REST APIs do by default: the policy names every route.
 * - `route`: by the credentials and the route: an HTTP API that has `$context.routeKey` among its identity sources.
 */
export type AuthorizerCache = 'caller' | 'off' | 'route'

export interface AuthorizerOptions {
  /** At least one; a request that fits none is denied. With a cache literal paths only, and at most 100 of them. */
  readonly routes: readonly AuthorizerRoute[]
  readonly router: Router
  readonly identify: Identify
  /** Must be what the gateway is set to. Default `off`. */
  readonly cache?: AuthorizerCache
  /**
   * The form of the answers of an HTTP API with payload 2.0, as the gateway is set to: `iam` (default, as there) or `simple`. Where a gateway keeps
   * answers against `cache`, a policy about one request denies the others, and a simple answer lets the caller through to them.
   */
  readonly responses?: 'iam' | 'simple'
  /** Who asks Assay: the gateway. Default `{ kind: 'lambda', id: 'authorizer' }`. */
  readonly peer?: Peer
  /** Obligations that the integration behind the gateway carries out; it finds them in the context. Default: none. */
  readonly obligations?: readonly string[]
}

export const AUTHORIZER: Peer = { kind: 'lambda', id: 'authorizer' }
const MAX_ROUTES = 1000
const MAX_CACHED = 100

/** @throws TransportError `invalid_options` */
export function checkAuthorizer(options: AuthorizerOptions): void {
  const { cache = 'off', obligations = [], responses = 'iam', routes } = options
  if (!['caller', 'off', 'route'].includes(cache)) throw invalid('cache is off, caller or route')
  if (!['iam', 'simple'].includes(responses)) throw invalid('responses are simple or iam')
  if (routes.length === 0 || routes.length > MAX_ROUTES) throw invalid('routes are 1 to 1,000')
  if (cache === 'off') return
  if (cache === 'caller' && obligations.length > 0)
    throw invalid(
      'an answer for every route carries no obligations; leave them out, or set cache: off',
    )
  if (cache === 'caller' && routes.length > MAX_CACHED)
    throw invalid('with cache: caller every answer decides every route, and those are at most 100')
  for (const route of routes) checkCached(route)
}

/** In a policy `*` also stands for slashes, so that one segment of any text cannot be said. */
function checkCached({ methods, path, resource }: AuthorizerRoute): void {
  if (/[{}*?]|\$\{/.test(`${path}${resource.id}`))
    throw invalid(
      `a kept answer would be about other paths too: ${path} has a place for any text; switch the gateway's cache off, and set cache: off`,
    )
  if (methods === undefined || methods.length === 0)
    throw invalid(`with a cache a route names its methods: ${path}`)
}

function invalid(what: string): TransportError {
  return new TransportError('transport/lambda', 'invalid_options', `authorizer: ${what}`)
}
