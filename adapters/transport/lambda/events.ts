/**
 * Which of the platform's calls an event is, by its shape alone. Lambda does not say who invoked a function: whoever may invoke it directly can
 * write any of these events, so nothing in one is more than its invoker's word.
 */

export type Shape = { readonly [name: string]: unknown }

export type Kind =
  /** API Gateway REST, authorizer of type TOKEN. */
  | 'token-authorizer'
  /** API Gateway REST and WebSocket, authorizer of type REQUEST; HTTP API with payload 1.0 too. */
  | 'request-authorizer'
  /** API Gateway HTTP API, authorizer with payload 2.0. */
  | 'http-authorizer'
  /** API Gateway REST proxy, and HTTP API with payload 1.0. */
  | 'proxy-1'
  /** HTTP API with payload 2.0, and function URLs. */
  | 'proxy-2'
  /** Application Load Balancer. */
  | 'alb'
  /** EventBridge, by a rule or by its scheduler. */
  | 'scheduled'
  /** `{ action, payload }` or `{ evaluation }`. */
  | 'direct'

export function isShape(value: unknown): value is Shape {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Undefined: it is none of them. */
export function kindOf(event: unknown): Kind | undefined {
  if (!isShape(event)) return undefined
  if (event.type === 'TOKEN')
    return has(event, 'methodArn', 'authorizationToken', 'token-authorizer')
  if (event.type === 'REQUEST') return authorizerOf(event)
  if (isShape(event.requestContext)) return proxyOf(event, event.requestContext)
  if (event['detail-type'] === 'Scheduled Event')
    return event.source === 'aws.events' || event.source === 'aws.scheduler'
      ? 'scheduled'
      : undefined
  if (typeof event.action === 'string' || isShape(event.evaluation)) return 'direct'
  return undefined
}

function authorizerOf(event: Shape): Kind | undefined {
  if (event.version === '2.0') return has(event, 'routeArn', 'routeKey', 'http-authorizer')
  return typeof event.methodArn === 'string' ? 'request-authorizer' : undefined
}

function proxyOf(event: Shape, context: Shape): Kind | undefined {
  if (isShape(context.elb)) return has(event, 'httpMethod', 'path', 'alb')
  if (event.version === '2.0')
    return isShape(context.http) && typeof event.rawPath === 'string' ? 'proxy-2' : undefined
  return has(event, 'httpMethod', 'path', 'proxy-1')
}

function has(event: Shape, first: string, second: string, kind: Kind): Kind | undefined {
  return typeof event[first] === 'string' && typeof event[second] === 'string' ? kind : undefined
}

/** Header lines by lower-case name, in the order in which they stand. */
export function linesOf(event: Shape): ReadonlyMap<string, readonly string[]> {
  const lines = new Map<string, string[]>()
  const add = (name: string, value: unknown): void => {
    if (typeof value !== 'string') return
    const known = lines.get(name.toLowerCase())
    if (known === undefined) lines.set(name.toLowerCase(), [value])
    else known.push(value)
  }
  // Where both are there, the single-valued one has only the last of several lines.
  const many = isShape(event.multiValueHeaders) ? event.multiValueHeaders : undefined
  for (const [name, values] of Object.entries(many ?? {}))
    for (const value of Array.isArray(values) ? values : []) add(name, value)
  if (many === undefined && isShape(event.headers))
    for (const [name, value] of Object.entries(event.headers)) add(name, value)
  return lines
}
