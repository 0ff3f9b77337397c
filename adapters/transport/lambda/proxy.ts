/**
 * Proxy events as the web's Request and Response: REST proxy and HTTP API payload 1.0, HTTP API payload 2.0, function URLs, and load balancers
 * with and without multi-value headers. What answers is a function of Request, so that this transport knows no framework.
 *
 * @see https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html
 * @see https://docs.aws.amazon.com/elasticloadbalancing/latest/application/lambda-functions.html
 */
import type { Peer } from '../../../core/request.ts'
import { isShape, type Kind, linesOf, type Shape } from './events.ts'
import { Refusal } from './refusal.ts'

export interface Platform {
  /** Whom AWS itself authenticated (IAM), as the event says. */
  readonly peer?: Peer
}
export interface ProxyOptions {
  /** Answers every request; never rejects. */
  fetch(request: Request, platform: Platform): Response | Promise<Response>
}
export interface ProxyAnswer {
  readonly statusCode: number
  readonly headers?: Readonly<Record<string, string>>
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>
  readonly cookies?: readonly string[]
  readonly body: string
  readonly isBase64Encoded: boolean
}
export type ProxyKind = Extract<Kind, 'alb' | 'proxy-1' | 'proxy-2'>

/** What Lambda carries back, with room for its JSON; a load balancer takes less. */
const MAX_ANSWER: Readonly<Record<ProxyKind, number>> = {
  alb: 900_000,
  'proxy-1': 5_500_000,
  'proxy-2': 5_500_000,
}

export interface Proxied {
  readonly kind: ProxyKind
  readonly event: Shape
  readonly signal: AbortSignal
  /** For a request that brings none. */
  readonly idempotencyKey: string | undefined
}

export async function proxied(
  { fetch }: ProxyOptions,
  { event, idempotencyKey, kind, signal }: Proxied,
): Promise<ProxyAnswer> {
  const request = requestOf(kind, event, { idempotencyKey, signal })
  const peer = iamPeer(kind, event)
  const response = await fetch(request, peer === undefined ? {} : { peer })
  return answerOf(kind, event, response)
}

/** An answer of one line, as the HTTP transport gives it where there is no decision. */
export function plainAnswer(
  kind: ProxyKind,
  event: Shape,
  status: number,
  text: string,
): ProxyAnswer {
  const headers = { 'cache-control': 'no-store', 'content-type': 'text/plain; charset=utf-8' }
  return {
    statusCode: status,
    ...headersOf(kind, event, new Headers(headers)),
    body: text,
    isBase64Encoded: false,
  }
}

function requestOf(
  kind: ProxyKind,
  event: Shape,
  { idempotencyKey, signal }: Pick<Proxied, 'idempotencyKey' | 'signal'>,
): Request {
  const method = methodOf(kind, event)
  const headers = requestHeaders(event)
  if (idempotencyKey !== undefined && !headers.has('idempotency-key'))
    headers.set('idempotency-key', idempotencyKey)
  const body = bodyOf(event)
  const hasBody = body !== undefined && method !== 'GET' && method !== 'HEAD'
  try {
    const url = new URL(`https://lambda.invalid${targetOf(kind, event)}`)
    return new Request(url, { method, headers, signal, ...(hasBody ? { body } : {}) })
  } catch {
    throw new Refusal('invalid_event', 'its method or path is none that HTTP has')
  }
}

function methodOf(kind: ProxyKind, { httpMethod, requestContext }: Shape): string {
  const http = kind === 'proxy-2' && isShape(requestContext) ? requestContext.http : undefined
  return String(isShape(http) ? http.method : httpMethod)
}

function requestHeaders(event: Shape): Headers {
  const headers = new Headers()
  try {
    for (const [name, values] of linesOf(event))
      for (const value of values) headers.append(name, value)
    const { cookies } = event
    if (Array.isArray(cookies) && !headers.has('cookie')) headers.set('cookie', cookies.join('; '))
  } catch {
    throw new Refusal('invalid_event', 'a header has a name or value that HTTP does not have')
  }
  return headers
}

function bodyOf({ body, isBase64Encoded }: Shape): Uint8Array<ArrayBuffer> | undefined {
  if (body === undefined || body === null) return undefined
  if (typeof body !== 'string') throw new Refusal('invalid_event', 'its body is not text')
  return Uint8Array.from(Buffer.from(body, isBase64Encoded === true ? 'base64' : 'utf8'))
}

function targetOf(kind: ProxyKind, event: Shape): string {
  if (kind === 'proxy-2') {
    const { rawPath, rawQueryString } = event
    const path = withoutStage(String(rawPath), event)
    return rawQueryString ? `${path}?${String(rawQueryString)}` : path
  }
  const query = queryOf(kind, event)
  const path = String(event.path)
  return query === '' ? path : `${path}?${query}`
}

/** An HTTP API with a named stage puts it in front of the raw path. */
function withoutStage(path: string, { requestContext }: Shape): string {
  const stage = isShape(requestContext) ? requestContext.stage : undefined
  if (typeof stage !== 'string' || stage === '' || stage === '$default') return path
  const before = `/${stage}`
  if (path === before) return '/'
  return path.startsWith(`${before}/`) ? path.slice(before.length) : path
}

/** API Gateway decodes query parameters; a load balancer hands them on as they came. */
function queryOf(kind: ProxyKind, event: Shape): string {
  const escaped = kind === 'alb' ? (text: string): string => text : encodeURIComponent
  const pairs: [string, unknown][] = []
  const { multiValueQueryStringParameters: many, queryStringParameters: single } = event
  if (isShape(many))
    for (const [name, values] of Object.entries(many))
      for (const value of Array.isArray(values) ? values : []) pairs.push([name, value])
  else if (isShape(single)) pairs.push(...Object.entries(single))
  return pairs.map(([name, value]) => `${escaped(name)}=${escaped(String(value))}`).join('&')
}

/** Where AWS verified a signature with IAM credentials, the event names their owner. */
function iamPeer(kind: ProxyKind, { requestContext }: Shape): Peer | undefined {
  if (!isShape(requestContext)) return undefined
  const { authorizer, identity } = requestContext
  // Each kind has its own place for it; elsewhere may stand what somebody's authorizer wrote.
  const iam = kind === 'proxy-1' ? identity : isShape(authorizer) ? authorizer.iam : undefined
  const arn = isShape(iam) ? iam.userArn : undefined
  return typeof arn === 'string' && /^arn:[\x21-\x7e]{1,250}$/.test(arn)
    ? { kind: 'aws-iam', id: arn }
    : undefined
}

async function answerOf(kind: ProxyKind, event: Shape, response: Response): Promise<ProxyAnswer> {
  const bytes = Buffer.from(await response.arrayBuffer())
  const isText = TEXT.test(response.headers.get('content-type') ?? 'text/plain')
  const body = bytes.toString(isText ? 'utf8' : 'base64')
  // Quotes and letters outside of ASCII grow on the way.
  if (Buffer.byteLength(JSON.stringify(body)) > MAX_ANSWER[kind])
    return plainAnswer(kind, event, 500, 'answer_too_large: ask for less, for example for pages')
  const headers = headersOf(kind, event, response.headers)
  return { statusCode: response.status, ...headers, body, isBase64Encoded: !isText }
}
const TEXT = /^(?:text\/|application\/(?:[a-z0-9.+-]*\+)?json)/

function headersOf(
  kind: ProxyKind,
  event: Shape,
  headers: Headers,
): Pick<ProxyAnswer, 'cookies' | 'headers' | 'multiValueHeaders'> {
  const cookies = headers.getSetCookie()
  const single = Object.fromEntries([...headers].filter(([name]) => name !== 'set-cookie'))
  if (kind === 'proxy-2') return { headers: single, ...(cookies.length > 0 ? { cookies } : {}) }
  // A load balancer takes one form only, the one that its target group was set to.
  if (kind === 'alb' && !isShape(event.multiValueHeaders)) return { headers: single }
  const many = Object.fromEntries(Object.entries(single).map(([name, value]) => [name, [value]]))
  return { multiValueHeaders: cookies.length > 0 ? { ...many, 'set-cookie': cookies } : many }
}
