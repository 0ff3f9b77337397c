/** The client against decision points that answer well, badly, and not at all; and against Assay's own server. */
import {
  createServer,
  type IncomingHttpHeaders,
  type RequestListener,
  type Server,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { NoDecision } from '../../core/error.ts'
import { DECISION_ID, decision, FakeKernel, page } from '../../test/fake-kernel.ts'
import { serveHttp } from '../transport/http/index.ts'
import { type Client, type ClientOptions, createClient, type Evaluation } from './client.ts'

const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

const evaluation: Evaluation = {
  subject: { type: 'user', id: 'ada' },
  action: { name: 'read' },
  resource: { type: 'record', id: '7', properties: { open: true } },
  context: { purpose: 'audit' },
}

async function pdp(listener: RequestListener): Promise<{ url: string; server: Server }> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => {
    server.close()
    server.closeAllConnections()
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, server }
}

interface Seen {
  readonly method: string | undefined
  readonly url: string | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: unknown
}

/** A decision point that always answers this, and what it was asked. */
async function answering(
  body: unknown,
  { status = 200, headers = {} }: { status?: number; headers?: Record<string, string> } = {},
  options: Partial<ClientOptions> = {},
): Promise<{ client: Client; seen: Seen[] }> {
  const seen: Seen[] = []
  const { url } = await pdp((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    request.on('end', () => {
      const { method, url: path, headers: sent } = request
      seen.push({ method, url: path, headers: sent, body: JSON.parse(text) })
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(typeof body === 'string' ? body : JSON.stringify(body))
    })
  })
  return { client: createClient({ url, ...options }), seen }
}

async function noDecision(promise: Promise<unknown>): Promise<NoDecision> {
  try {
    await promise
  } catch (error) {
    if (error instanceof NoDecision) return error
    throw error
  }
  throw new Error('it answered')
}

describe('one evaluation', () => {
  test('of any AuthZEN decision point', async () => {
    const { client, seen } = await answering({ decision: true, extra: 1 })
    expect(await client.decide(evaluation)).toEqual({ allow: true, reasons: [], obligations: [] })
    expect(seen).toMatchObject([
      {
        method: 'POST',
        url: '/access/v1/evaluation',
        headers: { 'content-type': 'application/json' },
        body: evaluation,
      },
    ])
    expect(seen[0]?.body).toEqual(evaluation)
    expect(seen[0]?.headers).not.toHaveProperty('authorization')
  })

  test('with what Assay adds to it', async () => {
    const context = {
      decision_id: DECISION_ID,
      reasons: [{ code: 'not_owner', message: 'x' }, { code: 'a\nb' }, 7],
    }
    const { client } = await answering({ decision: false, context })
    expect(await client.decide(evaluation)).toEqual({
      allow: false,
      id: DECISION_ID,
      reasons: [{ code: 'not_owner' }],
      obligations: [],
    })
  })

  test('declares obligations in the profile’s way and in Assay’s, and returns them', async () => {
    const obligations = [{ id: 'o', type: 'step-up', properties: { acr_value: 'high' }, x: 1 }]
    const { client, seen } = await answering({ decision: true, context: { obligations } })
    const answered = await client.decide(evaluation, { obligations: ['step-up', 'own'] })
    expect(answered.obligations).toEqual([
      { id: 'o', type: 'step-up', properties: { acr_value: 'high' } },
    ])
    expect(seen[0]?.headers['assay-obligations']).toBe('step-up,own')
    expect(seen[0]?.body).toEqual({
      ...evaluation,
      context: { purpose: 'audit', supported_obligations: ['step-up', 'own'] },
    })
  })

  test('with a bearer token, fresh for each question', async () => {
    let n = 0
    const { client, seen } = await answering({ decision: true }, {}, { token: () => `t${++n}` })
    await client.decide(evaluation)
    await client.decide(evaluation)
    const sent = seen.map(({ headers }) => headers.authorization)
    expect(sent).toEqual(['Bearer t1', 'Bearer t2'])
  })
})

describe('what is no decision', () => {
  test.each<[name: string, body: unknown]>([
    ['no JSON', 'true'],
    ['half of it', '{"decision":tru'],
    ['nothing', ''],
    ['a list', []],
    ['no decision', {}],
    ['a string for a decision', { decision: 'true' }],
    ['a number for a decision', { decision: 1 }],
    ['null for a decision', { decision: null }],
    ['a decision that is said twice', '{"decision":false,"decision":true}'],
    ['a context that is a list', { decision: true, context: [] }],
    ['obligations that are no list', { decision: true, context: { obligations: {} } }],
    ['an obligation that is a string', { decision: true, context: { obligations: ['step-up'] } }],
    ['an obligation without a type', { decision: true, context: { obligations: [{ id: 'o' }] } }],
    [
      'an obligation with strange properties',
      { decision: true, context: { obligations: [{ id: 'o', type: 't', properties: [] }] } },
    ],
    ['half a surrogate', '{"decision":true,"a":"\\ud800"}'],
    ['more than anybody reads', `{"decision":true,"a":"${'x'.repeat(9_000_000)}"}`],
  ])('an answer with %s', async (_, body) => {
    const { client } = await answering(body)
    expect((await noDecision(client.decide(evaluation))).code).toBe('unavailable')
  })

  test.each([201, 204, 301, 400, 401, 403, 404, 429, 500, 503])('status %i', async (status) => {
    const headers = { location: '/elsewhere', 'retry-after': '3', 'x-decision-id': DECISION_ID }
    const { client } = await answering(status === 204 ? '' : { decision: true }, {
      status,
      headers,
    })
    expect((await noDecision(client.decide(evaluation))).code).toBe('unavailable')
  })

  test('says when to ask again, and which decision may have been made', async () => {
    const headers = { 'retry-after': '3', 'x-decision-id': DECISION_ID }
    const { client } = await answering('', { status: 503, headers })
    expect(await noDecision(client.decide(evaluation))).toMatchObject({
      retryAfterMs: 3000,
      decisionId: DECISION_ID,
    })
  })

  test('a server that is not there, one that hangs up, and one that does not answer', async () => {
    const hanging = await pdp((request) => void request.socket.destroy())
    const silent = await pdp(() => {})
    const slow = await pdp((_, response) => void response.write('{"decision":'))
    for (const url of ['http://127.0.0.1:1', hanging.url, silent.url, slow.url]) {
      const client = createClient({ url, timeoutMs: 100 })
      expect((await noDecision(client.decide(evaluation))).code).toBe('unavailable')
    }
  })

  test('a token that cannot be had', async () => {
    const token = (): Promise<string> => Promise.reject(new Error('secret'))
    const { client, seen } = await answering({ decision: true }, {}, { token })
    expect((await noDecision(client.decide(evaluation))).message).not.toContain('secret')
    expect(seen).toEqual([])
  })

  test('a URL that is none is found out at once', () => {
    expect(() => createClient({ url: 'pdp.example.com' })).toThrow(TypeError)
  })
})

describe('several evaluations', () => {
  const two = [evaluation, { ...evaluation, action: { name: 'write' } }]

  test('come back in order, with their ids', async () => {
    const evaluations = [{ decision: true }, { decision: false }]
    const headers = { 'x-decision-id': `${DECISION_ID},-` }
    const { client, seen } = await answering({ evaluations }, { headers })
    expect(await client.decideAll(two)).toEqual([
      { allow: true, id: DECISION_ID, reasons: [], obligations: [] },
      { allow: false, reasons: [], obligations: [] },
    ])
    expect(seen[0]?.body).toEqual({
      evaluations: two,
      options: { evaluations_semantic: 'execute_all' },
    })
  })

  test('may end at the one that settles it', async () => {
    const { client, seen } = await answering({ evaluations: [{ decision: false }] })
    const answered = await client.decideAll(two, { semantic: 'deny_on_first_deny' })
    expect(answered.map(({ allow }) => allow)).toEqual([false])
    expect(seen[0]?.body).toMatchObject({ options: { evaluations_semantic: 'deny_on_first_deny' } })
  })

  test('none are not asked about', async () => {
    const { client, seen } = await answering({ decision: true })
    expect(await client.decideAll([])).toEqual([])
    expect(seen).toEqual([])
  })

  test.each<[string, unknown]>([
    ['too few', { evaluations: [{ decision: true }] }],
    ['too many', { evaluations: [{ decision: true }, { decision: true }, { decision: true }] }],
    ['one that is none', { evaluations: [{ decision: true }, {}] }],
    ['one alone', { decision: true }],
  ])('%s are no decision', async (_, body) => {
    const { client } = await answering(body)
    expect((await noDecision(client.decideAll(two))).code).toBe('unavailable')
  })
})

describe('a search', () => {
  const query = { subject: { type: 'user', id: 'ada' }, resource: { type: 'record' } }

  test('is a page, and the way to the next one', async () => {
    const results = [{ type: 'record', id: '7' }]
    const { client, seen } = await answering({ results, page: { next_token: 't' } })
    expect(await client.search('resource', query, { limit: 1 })).toEqual({
      results,
      nextToken: 't',
    })
    expect(seen).toMatchObject([
      { url: '/access/v1/search/resource', body: { ...query, page: { limit: 1 } } },
    ])
  })

  test.each([
    { results: [] },
    { results: [], page: {} },
    { results: [], page: { next_token: '' } },
  ])('ends with %j', async (body) => {
    const { client } = await answering(body)
    expect(await client.search('resource', query)).toEqual({ results: [] })
  })

  test.each([{}, { results: {} }, { results: [], page: { next_token: 7 } }])(
    'is no answer with %j',
    async (body) => {
      const { client } = await answering(body)
      expect((await noDecision(client.search('resource', query))).code).toBe('unavailable')
    },
  )
})

describe('Assay’s own server', () => {
  async function served(kernel: FakeKernel): Promise<Client> {
    const { close, url } = await serveHttp(kernel, {})
    closing.push(close)
    return createClient({ url })
  }
  const reasons = [{ code: 'not_owner', message: 'no', rule: 'access.rule' }]

  test('answers one, with its reasons', async () => {
    const client = await served(new FakeKernel(async () => decision({ allow: false, reasons })))
    expect(await client.decide(evaluation)).toEqual({
      allow: false,
      id: DECISION_ID,
      reasons: [{ code: 'not_owner' }],
      obligations: [],
    })
  })

  test('answers many, and learns of obligations', async () => {
    const obligations = [{ id: 'o', type: 'own', properties: { a: 1 } }]
    const kernel = new FakeKernel(async (_, n) =>
      n === 1 ? decision({ obligations }) : decision({ allow: false, reasons }),
    )
    const client = await served(kernel)
    const answered = await client.decideAll([evaluation, evaluation], { obligations: ['own'] })
    expect(answered.map(({ allow }) => allow)).toEqual([true, false])
    expect(answered[0]).toMatchObject({ id: DECISION_ID, obligations })
    expect(kernel.dispatches[0]?.submission.obligations).toEqual(['own'])
  })

  test('finds, a page at a time', async () => {
    const kernel = new FakeKernel()
    const results = [{ type: 'record', id: '7' }]
    kernel.searchScript = async (_, n) => page({ results, nextToken: n === 1 ? 'next' : '' })
    const client = await served(kernel)
    const query = {
      subject: { type: 'user', id: 'ada' },
      action: { name: 'read' },
      resource: { type: 'record' },
    }
    expect(await client.search('resource', query, { limit: 1 })).toEqual({
      results,
      nextToken: 'next',
    })
    expect(await client.search('resource', query, { limit: 1, token: 'next' })).toEqual({ results })
    expect(kernel.searches.map(({ options }) => [options.limit, options.token])).toEqual([
      [1, undefined],
      [1, 'next'],
    ])
  })

  test('is no decision while it is overloaded', async () => {
    const overloaded = new NoDecision('overloaded', 'full', { retryAfterMs: 2000 })
    const client = await served(new FakeKernel(() => Promise.reject(overloaded)))
    const error = await noDecision(client.decide(evaluation))
    expect(error).toMatchObject({ code: 'unavailable', retryAfterMs: 2000 })
  })
})
