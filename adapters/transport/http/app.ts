/**
 * The endpoints as a Hono app, for every platform that speaks Request and Response. `serve.ts` puts Node's server under it.
 *
 * @see https://hono.dev/docs/api/hono
 */
import { type Context, Hono } from 'hono'
import type { Kernel } from '../../../core/kernel.ts'
import { type Answer, notFound } from './answer.ts'
import { type Endpoint, WebCall } from './call.ts'
import { createEndpoints, wrongMethod } from './endpoints.ts'
import { type Answering, Front } from './front.ts'
import { type AppOptions, readBaseUrl, readLimits } from './options.ts'

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
  )
  const front = new Front(kernel, maxConcurrent, options.hosts, options.operations?.around)
  const app = new Hono()
  const answered = async (c: Context, endpoint: Answering) =>
    toResponse(await front.answer(endpoint, new WebCall(c.req.raw, c.req.path, maxBodyBytes)))
  for (const endpoint of endpoints)
    app.on(endpoint.method, endpoint.path, (c) => answered(c, endpoint))
  app.notFound((c) =>
    answered(c, { admitted: false, answer: ({ path }) => missing(endpoints, path) }),
  )
  return { app, endpoints, front, maxBodyBytes }
}

function missing(endpoints: readonly Endpoint[], path: string): Answer {
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
