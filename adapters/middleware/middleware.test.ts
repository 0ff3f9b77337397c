/** One suite for every framework, on its real server: what the client gets, and whether the handler ran. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import express from 'express'
import fastify, { type FastifyRequest } from 'fastify'
import { type Context, Hono } from 'hono'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { NoDecision } from '../../core/error.ts'
import { DECISION_ID, decision, FakeKernel } from '../../test/fake-kernel.ts'
import { serveHttp } from '../transport/http/index.ts'
import { createClient } from './client.ts'
import type { Answered, Decider, Evaluation, Obligation } from './decider.ts'
import type { AuthorizeOptions, Mapper, Refused } from './enforce.ts'
import { authorize as forExpress } from './express.ts'
import { authorize as forFastify } from './fastify.ts'
import { authorize as forHono } from './hono.ts'

const ID = '0123456789abcdef0123456789abcdef'
const ALLOWED: Answered = { allow: true, id: ID, reasons: [], obligations: [] }
const DENIED: Answered = { ...ALLOWED, allow: false, reasons: [{ code: 'not_owner' }] }
const STEP_UP: Obligation = { id: 'o1', type: 'step-up', properties: { level: 2 } }

/** A framework's server that guards everything under one middleware. `user`: what the mapper found in the request. */
interface Guarded {
  readonly decider: Decider
  /** Called by the mapper; may throw. */
  readonly evaluation: (user: string | undefined) => ReturnType<Mapper<unknown>>
  readonly options?: AuthorizeOptions<unknown>
  readonly handled: () => void
}
interface Framework {
  readonly name: string
  start(guarded: Guarded): Promise<{ readonly port: number; readonly close: () => unknown }>
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

const frameworks: readonly Framework[] = [
  {
    name: 'fastify',
    async start({ decider, evaluation, handled, options }) {
      const app = fastify()
      const mapper = ({ headers }: FastifyRequest) => evaluation(headers['x-user'] as string)
      app.addHook('preHandler', forFastify(decider, mapper, options))
      app.all('/guarded', async () => {
        handled()
        return { served: true }
      })
      await app.listen({ port: 0, host: '127.0.0.1' })
      return { port: portOf(app.server), close: () => app.close() }
    },
  },
  {
    name: 'hono',
    async start({ decider, evaluation, handled, options }) {
      const app = new Hono()
      app.use(
        '/guarded',
        forHono(decider, (c: Context) => evaluation(c.req.header('x-user')), options),
      )
      app.all('/guarded', () => {
        handled()
        // A response of its own, whose headers Hono did not prepare.
        return Response.json({ served: true })
      })
      const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
      await once(server, 'listening')
      return { port: portOf(server), close: () => server.close() }
    },
  },
  {
    name: 'express',
    async start({ decider, evaluation, handled, options }) {
      const app = express()
      const mapper = (request: express.Request) => evaluation(request.get('x-user'))
      app.all('/guarded', forExpress(decider, mapper, options), (_, response) => {
        handled()
        response.json({ served: true })
      })
      const server = app.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return { port: portOf(server), close: () => server.close() }
    },
  },
  {
    name: 'plain Node',
    async start({ decider, evaluation, handled, options }) {
      const mapper = ({ headers }: IncomingMessage) => evaluation(headers['x-user'] as string)
      const guard = forExpress(decider, mapper, options)
      const server = createServer((request, response) => {
        void guard(request, response, () => {
          handled()
          response.setHeader('content-type', 'application/json')
          response.end('{"served":true}')
        })
      }).listen(0, '127.0.0.1')
      await once(server, 'listening')
      return { port: portOf(server), close: () => server.close() }
    },
  },
]

const evaluation: Evaluation = {
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'checkpoint', id: 'ckpt-7-0041' },
}

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

describe.each(frameworks)('$name', (framework) => {
  /** What a client gets, and how often the handler ran. */
  async function ask(
    decide: Decider['decide'],
    part: Partial<Pick<Guarded, 'evaluation' | 'options'>> = {},
    init: RequestInit = {},
  ): Promise<{ status: number; body: string; headers: Headers; handled: number }> {
    const handled = vi.fn()
    const guarded = { decider: { decide }, evaluation: () => evaluation, handled, ...part }
    const { port, close } = await framework.start(guarded)
    closing.push(close)
    const response = await fetch(`http://127.0.0.1:${port}/guarded`, {
      headers: { 'x-user': 'ada', connection: 'close' },
      ...init,
    })
    const body = await response.text()
    const { headers, status } = response
    return { status, body, headers, handled: handled.mock.calls.length }
  }

  test('an allow reaches the handler, and the answer names the decision', async () => {
    const asked: unknown[] = []
    const answer = await ask(async (...question) => {
      asked.push(question)
      return ALLOWED
    })
    expect(answer).toMatchObject({ status: 200, body: '{"served":true}', handled: 1 })
    expect(answer.headers.get('x-decision-id')).toBe(ID)
    expect(asked).toEqual([[evaluation, { obligations: [] }]])
  })

  test('the mapper sees the request', async () => {
    const decide = vi.fn(async () => ALLOWED)
    const byUser = async (user = ''): Promise<Evaluation> => ({
      ...evaluation,
      subject: { type: 'user', id: user },
    })
    await ask(decide, { evaluation: byUser })
    expect(decide).toHaveBeenCalledWith(evaluation, { obligations: [] })
  })

  test('a deny is 403 with its reason and its decision', async () => {
    const answer = await ask(async () => DENIED)
    expect(answer).toMatchObject({ status: 403, handled: 0 })
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(answer.headers.get('cache-control')).toBe('no-store')
    expect(answer.headers.get('assay-reason')).toBe('not_owner')
    expect(answer.headers.get('x-decision-id')).toBe(ID)
    expect(JSON.parse(answer.body)).toEqual({
      error: 'forbidden',
      reasons: ['not_owner'],
      decision_id: ID,
    })
  })

  test.each<[string, Answered]>([
    ['a string', { ...ALLOWED, allow: 'true' as unknown as boolean }],
    ['a number', { ...ALLOWED, allow: 1 as unknown as boolean }],
    ['nothing', { reasons: [], obligations: [] } as unknown as Answered],
  ])('an allow that is %s is a deny', async (_, answered) => {
    expect(await ask(async () => answered)).toMatchObject({ status: 403, handled: 0 })
  })

  test('no decision is 503 with Retry-After', async () => {
    const failure = new NoDecision('overloaded', 'full', { retryAfterMs: 2500, decisionId: ID })
    const answer = await ask(() => Promise.reject(failure))
    expect(answer).toMatchObject({ status: 503, handled: 0 })
    expect(answer.headers.get('retry-after')).toBe('3')
    expect(JSON.parse(answer.body)).toEqual({
      error: 'unavailable',
      code: 'overloaded',
      decision_id: ID,
    })
  })

  test.each<[string, Decider['decide']]>([
    [
      'throws',
      () => {
        throw new Error('secret')
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret'))],
    ['answers nothing', async () => undefined as unknown as Answered],
  ])('a decider that %s is no decision, and is not quoted', async (_, decide) => {
    const errors: unknown[] = []
    const answer = await ask(decide, { options: { onError: (error) => errors.push(error) } })
    expect(answer).toMatchObject({ status: 503, handled: 0 })
    expect(answer.body).not.toContain('secret')
    expect(errors.length).toBe(1)
  })

  test('a request that the mapper has no question for is forbidden unasked', async () => {
    const decide = vi.fn(async () => ALLOWED)
    for (const nothing of [() => undefined, async () => undefined]) {
      const answer = await ask(decide, { evaluation: nothing })
      expect(answer).toMatchObject({ status: 403, handled: 0 })
      expect(JSON.parse(answer.body)).toEqual({ error: 'forbidden', reasons: ['unmapped'] })
    }
    expect(decide).not.toHaveBeenCalled()
  })

  test.each<[string, Guarded['evaluation']]>([
    [
      'throws',
      () => {
        throw new Error('secret')
      },
    ],
    ['rejects', () => Promise.reject(new Error('secret'))],
  ])('a mapper that %s is 500 unasked, and is not quoted', async (_, failing) => {
    const decide = vi.fn(async () => ALLOWED)
    const onError = vi.fn(() => {
      throw new Error('the log is full')
    })
    const answer = await ask(decide, { evaluation: failing, options: { onError } })
    expect(answer).toMatchObject({ status: 500, handled: 0 })
    expect(JSON.parse(answer.body)).toEqual({ error: 'internal', code: 'mapper_failed' })
    expect(onError).toHaveBeenCalledOnce()
    expect(decide).not.toHaveBeenCalled()
  })

  test.each(['HEAD', 'OPTIONS', 'DELETE', 'POST'])('%s is guarded too', async (method) => {
    const denied = await ask(async () => DENIED, {}, { method })
    expect(denied).toMatchObject({ status: 403, handled: 0 })
    expect(denied.headers.get('assay-reason')).toBe('not_owner')
    if (method === 'HEAD') expect(denied.body).toBe('')
    expect(await ask(async () => ALLOWED, {}, { method })).toMatchObject({
      status: 200,
      handled: 1,
    })
  })

  describe('obligations', () => {
    const obliged = async (): Promise<Answered> => ({ ...ALLOWED, obligations: [STEP_UP] })

    test('are declared, and carried out before the handler', async () => {
      const order: unknown[] = []
      const decide = vi.fn(obliged)
      const options: AuthorizeOptions<unknown> = {
        obligations: { 'step-up': async (obligation) => void order.push(obligation) },
      }
      expect(await ask(decide, { options })).toMatchObject({ status: 200, handled: 1 })
      expect(order).toEqual([STEP_UP])
      expect(decide).toHaveBeenCalledWith(evaluation, { obligations: ['step-up'] })
    })

    test.each<[string, AuthorizeOptions<unknown>, string]>([
      ['without anybody to carry it out', {}, 'obligation_unsupported'],
      ['of another type', { obligations: { notification() {} } }, 'obligation_unsupported'],
      [
        'that fails',
        { obligations: { 'step-up': () => Promise.reject(new Error('secret')) } },
        'obligation_failed',
      ],
    ])('one %s forbids', async (_, options, reason) => {
      const answer = await ask(obliged, { options })
      expect(answer).toMatchObject({ status: 403, handled: 0 })
      expect(JSON.parse(answer.body)).toMatchObject({ reasons: [reason], decision_id: ID })
    })

    test('named like a member of every object has nobody to carry it out', async () => {
      const answered = { ...ALLOWED, obligations: [{ id: 'o', type: 'toString' }] }
      expect(await ask(async () => answered)).toMatchObject({ status: 403, handled: 0 })
    })
  })

  test('report only: every request goes on, and what would have been is told', async () => {
    const reported: Refused[] = []
    const options = { reportOnly: (refused: Refused) => void reported.push(refused) }
    expect(await ask(async () => DENIED, { options })).toMatchObject({ status: 200, handled: 1 })
    expect(reported).toMatchObject([{ status: 403, body: { reasons: ['not_owner'] } }])
    expect(await ask(async () => ALLOWED, { options })).toMatchObject({ status: 200, handled: 1 })
    expect(reported.length).toBe(1)
  })

  test('many requests at once get each their own answer', async () => {
    const { port, close } = await framework.start({
      decider: {
        async decide({ subject: { id } }) {
          await new Promise((resolve) => setTimeout(resolve, Number(id) % 5))
          return Number(id) % 2 === 0 ? { ...ALLOWED, id } : { ...DENIED, id }
        },
      },
      evaluation: (id = '') => ({ ...evaluation, subject: { type: 'user', id } }),
      handled: () => undefined,
    })
    closing.push(close)
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        fetch(`http://127.0.0.1:${port}/guarded`, {
          headers: { 'x-user': String(i), connection: 'close' },
        }),
      ),
    )
    for (const [i, { headers, status }] of answers.entries())
      expect([status, headers.get('x-decision-id')]).toEqual([i % 2 === 0 ? 200 : 403, String(i)])
  })
})

test('with a decision point elsewhere: its answers count, and its end is 503', async () => {
  const kernel = new FakeKernel(async ({ submission }) =>
    decision({ allow: submission.payload.text.includes('"ada"') }),
  )
  const pdp = await serveHttp(kernel, {})
  const app = new Hono()
  const mapper = (c: Context): Evaluation => ({
    ...evaluation,
    subject: { type: 'user', id: c.req.header('x-user') ?? '' },
  })
  app.get('/guarded', forHono(createClient({ url: pdp.url }), mapper), (c) => c.text('served'))
  const ask = async (user: string): Promise<readonly [number, string | null]> => {
    const response = await app.request('/guarded', { headers: { 'x-user': user } })
    return [response.status, response.headers.get('x-decision-id')]
  }
  expect(await ask('ada')).toEqual([200, DECISION_ID])
  expect(await ask('ben')).toEqual([403, DECISION_ID])
  await pdp.close()
  expect(await ask('ada')).toEqual([503, null])
})
