/**
 * The endpoints as a Hono app, for every platform that speaks Request and Response. `serve.ts` puts Node's server under it.
 *
 * @see https://hono.dev/docs/api/hono
 */
import { type Context, Hono } from 'hono'
import { NoDecision } from '../../../core/error.ts'
import type { Kernel } from '../../../core/kernel.ts'
import { MessageDoor } from './announce.ts'
import { type Answer, noDecisionAnswer, notFound } from './answer.ts'
import { type Endpoint, type Underneath, WebCall } from './call.ts'
import { Cors } from './cors.ts'
import { createEndpoints, wrongMethod } from './endpoints.ts'
import { type Answering, Front } from './front.ts'
import { Guard } from './guard.ts'
import { type AppOptions, DEFAULT_OPEN, readBaseUrl, readLimits } from './options.ts'
import { namesRealm, wrongRealm } from './realm.ts'

/** @throws TransportError `invalid_options` */
export function createApp(kernel: Kernel, options: AppOptions): Hono {
  return assemble(kernel, options).app
}

/** The app, and its parts for a platform that calls an endpoint without it. */
export interface Assembled {
  readonly app: Hono
  readonly endpoints: readonly Endpoint[]
  readonly front: Front
  readonly maxBodyBytes: number
}

/** @throws TransportError `invalid_options` */
export function assemble(kernel: Kernel, options: AppOptions): Assembled {
  const limits = readLimits(options)
  const { maxBodyBytes, maxConcurrent } = limits
  const endpoints = createEndpoints(
    kernel,
    limits,
    readBaseUrl(options.publicUrl),
    options.audit,
    options.opa,
    options.operations,
    new MessageDoor(kernel, options),
    options.explain,
  )
  const cors = options.cors && new Cors(options.cors)
  const guard = guardOf(options)
  const { hosts, operations } = options
  const front = new Front(kernel, { maxConcurrent, hosts, around: operations?.around, guard, cors })
  const app = new Hono()
  const answered = async (c: Context, endpoint: Answering) =>
    toResponse(await front.answer(endpoint, callOf(c, maxBodyBytes)))
  for (const endpoint of endpoints)
    app.on(endpoint.method, endpoint.path, (c) => answered(c, endpoint))
  if (cors !== undefined)
    for (const path of new Set(endpoints.map((endpoint) => endpoint.path)))
      app.on('OPTIONS', path, (c) => answered(c, preflight(cors, endpoints, path)))
  // A header that cannot be sent. Hono would print it.
  app.onError(() => toResponse(noDecisionAnswer(new NoDecision('unavailable', 'no answer'))))
  app.notFound((c) =>
    answered(c, { admitted: false, answer: ({ path }) => missing(options, endpoints, path) }),
  )
  return { app, endpoints, front, maxBodyBytes }
}

/** Nobody is asked for who they are, for the most part: then nothing stands between a request and its endpoint. */
function guardOf(options: AppOptions): Guard | undefined {
  const { auth, clock, open, rateLimit, realm, trustedProxies } = options
  if (auth === undefined && rateLimit === undefined) return undefined
  const groups = new Set(open ?? DEFAULT_OPEN)
  return new Guard({ auth, clock, open: groups, rateLimit, realm, trustedProxies })
}

/** What is under Hono says where a request came from; nothing of it is from the request. */
function callOf(c: Context, maxBodyBytes: number): WebCall {
  return new WebCall(c.req.raw, c.req.path, maxBodyBytes, (c.env ?? {}) as Underneath)
}

function preflight(cors: Cors, endpoints: readonly Endpoint[], path: string): Answering {
  const methods = endpoints.filter((endpoint) => endpoint.path === path).map((e) => e.method)
  return {
    admitted: false,
    open: 'always',
    path,
    answer: (call) => cors.preflight(call, methods),
  }
}

function missing({ auth }: AppOptions, endpoints: readonly Endpoint[], path: string): Answer {
  // Whoever is of another realm learns no name of one.
  if (auth !== undefined && namesRealm(path)) throw wrongRealm()
  const methods = endpoints.filter((endpoint) => matches(endpoint.path, path)).map((e) => e.method)
  return methods.length > 0 ? wrongMethod(methods) : notFound()
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/')
  const given = path.split('/')
  const enough = pattern.endsWith('*')
    ? given.length >= wanted.length
    : given.length === wanted.length
  return (
    enough && wanted.every((part, i) => (/^[:*]/.test(part) ? given[i] !== '' : given[i] === part))
  )
}

function toResponse({ status, headers, body }: Answer): Response {
  const isEmpty = status === 204 || status === 304
  return new Response(isEmpty ? null : (body as BodyInit), { status, headers: { ...headers } })
}
