/** Access on request, end to end: a denial over HTTP, a request bound to it, an approval by somebody else, and the same evaluation again. */
import { createHash } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type HttpServer, serveHttp } from '../../adapters/transport/http/index.ts'
import type { Json } from '../../core/json.ts'
import type { Kernel } from '../../core/kernel.ts'
import { Payload, type Peer } from '../../core/request.ts'
import { Place, START_MS } from '../composed.ts'

const OPERATOR: Peer = { kind: 'operator', id: 'test' }
const LEAD: Peer = { kind: 'user', id: 'lea' }
const REQUESTS = '/access/v1/requests'
const ERROR = 'urn:openid:authzen:access-request:error:'
const tuple = {
  subject: { type: 'user', id: 'ada' },
  action: { name: 'cancel' },
  resource: { type: 'workload', id: 'w1' },
}

let place: Place
let kernel: Kernel
let server: HttpServer
beforeEach(async () => {
  place = await Place.make()
  kernel = (await place.start('store: { kind: memory }')).kernel
  server = await serveHttp(kernel, {})
  const people = { ada: [], joe: ['researcher'], lea: ['lab_lead'] }
  const subjects = Object.entries(people).map(([id, roles]) => ({ type: 'user', id, roles }))
  expect(await decide('access.import', { subjects, resources: [tuple.resource] })).toBe(true)
})
afterEach(async () => {
  await server.close()
  await place.remove()
})

async function decide(action: string, payload: Json, peer: Peer = OPERATOR): Promise<boolean> {
  return (await kernel.decide({ action, payload: Payload.fromJson(payload), peer })).allow
}

/** What answers have, each some of it. */
interface Said {
  readonly decision: boolean
  readonly context: {
    readonly evaluation_id: string
    readonly reason: string
    readonly access_request: { readonly expires_at: string; readonly template: string }
  }
  readonly task: {
    readonly id: string
    readonly status: string
    readonly status_endpoint: string
    readonly links: { readonly cancel: string }
  }
  readonly result: { readonly approval: object }
  readonly results: readonly object[]
  readonly type: string
  readonly access_request_endpoint: string
  readonly capabilities: readonly string[]
}
interface Reply {
  readonly status: number
  readonly headers: Headers
  readonly json: Said
}
async function ask(path: string, body?: unknown, headers = {}): Promise<Reply> {
  const url = path.startsWith('http') ? path : server.url + path
  const init =
    body === undefined
      ? {}
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json', ...headers },
          body: JSON.stringify(body),
        }
  const response = await fetch(url, init)
  return {
    status: response.status,
    headers: response.headers,
    json: (await response.json()) as Said,
  }
}

const evaluate = (body: object = tuple): Promise<Reply> => ask('/access/v1/evaluation', body)
/** What a client sends after a denial. */
async function requestAfterDenial(more: object = {}): Promise<Reply> {
  const { context } = (await evaluate()).json
  const { evaluation_id, reason } = context
  const { expires_at, template } = context.access_request
  return ask(REQUESTS, {
    ...tuple,
    denial: { evaluation_id, reason, expires_at, template },
    ...more,
  })
}
const problem = ({ status, headers, json }: Reply): readonly unknown[] => [
  status,
  headers.get('content-type'),
  String(json.type).replace(ERROR, ''),
]
const PROBLEM = 'application/problem+json'
const at = (seconds: number): string => new Date(START_MS + seconds * 1000).toISOString()

describe('access on request', () => {
  test('is denied, requested, approved and then allowed', async () => {
    const denied = await evaluate()
    expect(denied.json).toEqual({
      decision: false,
      context: {
        evaluation_id: denied.headers.get('x-decision-id'),
        reason: 'not_permitted',
        access_request: { template: 'lab_lead', expires_at: at(600) },
      },
    })
    const created = await requestAfterDenial({
      context: { business_justification: 'it burns money' },
      requested_access: { requested_until: at(900) },
    })
    const { id } = created.json.task
    expect(created.status).toBe(202)
    expect(created.headers.get('location')).toBe(`${server.url}${REQUESTS}/${id}`)
    expect(created.json).toEqual({
      task: {
        id,
        status: 'pending',
        status_endpoint: `${server.url}${REQUESTS}/${id}`,
        expires_at: at(86_400),
        links: { cancel: `${server.url}${REQUESTS}/${id}/cancel` },
      },
    })
    const pending = await ask(created.json.task.status_endpoint)
    expect([pending.status, pending.json]).toEqual([200, created.json])
    expect(pending.headers.get('retry-after')).toBe('5')

    expect((await evaluate()).json.decision).toBe(false)
    expect(await decide('access.approve-request', { request: id }, LEAD)).toBe(true)
    const approved = await ask(`${REQUESTS}/${id}`)
    expect(approved.json).toEqual({
      task: { id, status: 'approved', status_endpoint: `${server.url}${REQUESTS}/${id}` },
      result: {
        mode: 'reevaluate',
        approval: { id: expect.stringMatching(/^[0-9a-f]{32}$/), approved_until: at(900) },
      },
    })
    const { approval } = approved.json.result
    expect((await evaluate({ ...tuple, context: { approval } })).json).toEqual({ decision: true })
    expect((await evaluate()).json).toEqual({ decision: true })

    const elsewhere = { ...tuple, resource: { type: 'workload', id: 'w2' } }
    expect((await evaluate({ ...elsewhere, context: { approval } })).json.decision).toBe(false)
    const other = { ...tuple, subject: { type: 'user', id: 'joe' } }
    expect((await evaluate({ ...other, context: { approval } })).json.decision).toBe(false)
    place.clock.advance(900_000)
    expect((await evaluate()).json.decision).toBe(false)
  })

  test('is found by searches while it lasts', async () => {
    const { subject, action, resource } = tuple
    const find = async (kind: string, query: object) =>
      (await ask(`/access/v1/search/${kind}`, query)).json.results
    const all = async () => [
      await find('subject', { subject: { type: 'user' }, action, resource }),
      await find('resource', { subject, action, resource: { type: 'workload' } }),
      await find('action', { subject, resource }),
    ]
    const lead = { type: LEAD.kind, id: LEAD.id }
    expect(await all()).toEqual([[lead], [], []])
    const { id } = (await requestAfterDenial()).json.task
    await decide('access.approve-request', { request: id }, LEAD)
    expect(await all()).toEqual([[subject, lead], [resource], [action]])
    await decide('access.revoke-approval', { request: id }, LEAD)
    expect(await all()).toEqual([[lead], [], []])
  })

  test('is approved by those who may, and who are not the ones who ask', async () => {
    const { id } = (await requestAfterDenial()).json.task
    const approve = (peer: Peer) => decide('access.approve-request', { request: id }, peer)
    expect(await approve({ kind: 'user', id: 'joe' })).toBe(false)
    expect(await approve({ kind: 'user', id: 'ada' })).toBe(false)
    expect(await approve(OPERATOR)).toBe(false)
    expect((await ask(`/assay/v1/requests/${id}/approve`, {})).status).toBe(403)
    await decide('access.assign', { subject: tuple.subject, role: 'lab_lead' })
    expect(await approve({ kind: 'user', id: 'ada' })).toBe(false)
    await decide('access.revoke', { subject: tuple.subject, role: 'lab_lead' })
    expect((await evaluate()).json.decision).toBe(false)
    expect(await approve(LEAD)).toBe(true)
    expect(await approve(LEAD)).toBe(false)
    expect((await evaluate()).json.decision).toBe(true)
    expect(await decide('access.revoke-approval', { request: id }, LEAD)).toBe(true)
    expect((await evaluate()).json.decision).toBe(false)
  })

  test('goes with the person who was given it', async () => {
    const { id } = (await requestAfterDenial()).json.task
    await decide('access.approve-request', { request: id }, LEAD)
    expect((await evaluate()).json.decision).toBe(true)
    await decide('access.remove-subject', { subject: tuple.subject })
    await decide('access.put-subject', { subject: tuple.subject })
    expect((await evaluate()).json.decision).toBe(false)
  })

  test('survives other changes of what the person holds', async () => {
    const { id } = (await requestAfterDenial()).json.task
    await decide('access.approve-request', { request: id }, LEAD)
    await decide('access.assign', { subject: tuple.subject, role: 'member' })
    await decide('access.revoke', { subject: tuple.subject, role: 'member' })
    expect((await evaluate()).json.decision).toBe(true)
  })

  test('is cancelled once', async () => {
    const { task } = (await requestAfterDenial()).json
    const cancelled = await ask(task.links.cancel, { reason: 'changed_my_mind' })
    expect([cancelled.status, cancelled.json.task.status]).toEqual([200, 'cancelled'])
    expect(problem(await ask(task.links.cancel, {}))).toEqual([409, PROBLEM, 'invalid_task_state'])
    expect(await decide('access.approve-request', { request: task.id }, LEAD)).toBe(false)
  })

  test('expires while nobody decides', async () => {
    const { id } = (await requestAfterDenial()).json.task
    place.clock.advance(86_400_000)
    expect(problem(await ask(`${REQUESTS}/${id}`))).toEqual([410, PROBLEM, 'task_expired'])
    expect(await decide('access.approve-request', { request: id }, LEAD)).toBe(false)
  })
})

describe('a request for access', () => {
  test('is bound to the denial of the same tuple', async () => {
    const { evaluation_id } = (await evaluate()).json.context
    const send = (body: object) => ask(REQUESTS, body).then(problem)
    const binding = [400, PROBLEM, 'invalid_denial_binding']
    expect(await send(tuple)).toEqual(binding)
    expect(await send({ ...tuple, denial: { binding_token: 'e30' } })).toEqual(binding)
    expect(await send({ ...tuple, denial: { evaluation_id: 'x' } })).toEqual(binding)
    const forged = evaluation_id.replace(/.$/, (digit) => (digit === '0' ? '1' : '0'))
    expect(await send({ ...tuple, denial: { evaluation_id: forged } })).toEqual(binding)
    const denial = { evaluation_id }
    for (const part of [
      { subject: { type: 'user', id: 'joe' } },
      { action: { name: 'read' } },
      { resource: { type: 'workload', id: 'w2' } },
      { resource: { ...tuple.resource, properties: { owner: 'ada' } } },
    ])
      expect(await send({ ...tuple, denial, ...part })).toEqual(binding)
    expect((await ask(REQUESTS, { ...tuple, denial })).status).toBe(202)
    expect(await send({ ...tuple, denial })).toEqual([409, PROBLEM, 'duplicate_request'])
  })

  test('comes in time, and for what can be requested', async () => {
    const late = (await evaluate()).json.context
    place.clock.advance(600_000)
    const denial = { evaluation_id: late.evaluation_id, expires_at: at(86_400) }
    expect(problem(await ask(REQUESTS, { ...tuple, denial }))).toEqual([
      410,
      PROBLEM,
      'expired_denial',
    ])
    const other = { ...tuple, action: { name: 'submit' } }
    const plain = await evaluate(other)
    expect(plain.json).toEqual({ decision: false })
    const id = plain.headers.get('x-decision-id')
    expect(problem(await ask(REQUESTS, { ...other, denial: { evaluation_id: id } }))).toEqual([
      400,
      PROBLEM,
      'not_requestable',
    ])
  })

  test('with the same key is the same request', async () => {
    const { evaluation_id } = (await evaluate()).json.context
    const body = { ...tuple, denial: { evaluation_id } }
    const key = { 'idempotency-key': 'k1' }
    const first = await ask(REQUESTS, body, key)
    expect(first.status).toBe(202)
    expect((await ask(REQUESTS, body, key)).json).toEqual(first.json)
    const changed = { ...body, requested_access: { requested_until: at(60) } }
    expect(problem(await ask(REQUESTS, changed, key))).toEqual([409, PROBLEM, 'duplicate_request'])
  })

  test('that is no request is refused', async () => {
    const { evaluation_id } = (await evaluate()).json.context
    for (const bad of [
      { ...tuple, denial: [] },
      { ...tuple, denial: { evaluation_id: 1 } },
      { ...tuple, subject: undefined, denial: { evaluation_id } },
      { ...tuple, denial: { evaluation_id }, requested_access: { requested_until: 'tomorrow' } },
      { ...tuple, denial: { evaluation_id }, requested_access: { requested_until: 1 } },
      { ...tuple, denial: { evaluation_id }, context: { business_justification: 1 } },
      { subject: tuple.subject, items: [], denial: { evaluation_id } },
    ]) {
      const response = await fetch(server.url + REQUESTS, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(bad),
      })
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringMatching(/^invalid_request: /),
      ])
    }
    const long = { ...tuple, denial: { evaluation_id }, context: { business_justification: '' } }
    long.context.business_justification = 'x'.repeat(1025)
    expect(problem(await ask(REQUESTS, long))).toEqual([400, PROBLEM, 'about:blank'])
    expect(problem(await ask(`${REQUESTS}/nothing`))).toEqual([404, PROBLEM, 'unknown_task'])
    const wrong = await fetch(`${server.url}${REQUESTS}/x/cancel`)
    expect([wrong.status, wrong.headers.get('allow')]).toEqual([405, 'POST'])
  })

  test('is announced in the metadata', async () => {
    const { json } = await ask('/.well-known/authzen-configuration')
    expect(json.access_request_endpoint).toBe(server.url + REQUESTS)
    expect(json.capabilities).toEqual(['urn:openid:authzen:capability:access-request'])
  })
})

describe('with callers who are authenticated', () => {
  const secretOf = (id: string): string => `the-secret-token-of-${id}`
  const bearer = (id: string) => ({ authorization: `Bearer ${secretOf(id)}` })
  beforeEach(async () => {
    await server.close()
    const peers = ['ada', 'joe', 'lea'].map((id) => ({ kind: 'user', id }))
    const tokens = [...peers, { kind: 'service', id: 'shop' }].map((peer) => ({
      sha256: createHash('sha256').update(secretOf(peer.id)).digest('hex'),
      peer,
    }))
    server = await serveHttp(kernel, { auth: { kind: 'bearer', tokens } })
  })
  const denialFor = async (id: string): Promise<object> => {
    const { context } = (await ask('/access/v1/evaluation', tuple, bearer(id))).json
    return { evaluation_id: context.evaluation_id }
  }
  const decideAs = (id: string, task: string, verb: string, body: object = {}) =>
    ask(`/assay/v1/requests/${task}/${verb}`, body, bearer(id))

  test('approvers approve over HTTP, within the terms', async () => {
    const denial = await denialFor('ada')
    const { task } = (await ask(REQUESTS, { ...tuple, denial }, bearer('ada'))).json
    const show = async (id: string) => {
      const response = await fetch(task.status_endpoint, { headers: bearer(id) })
      return response.status
    }
    expect(await Promise.all(['ada', 'lea', 'joe', 'shop'].map(show))).toEqual([200, 200, 404, 404])
    expect(await show('nobody')).toBe(401)
    const refused = async (id: string, body?: object) =>
      problem(await decideAs(id, task.id, 'approve', body))
    expect(await refused('joe')).toEqual([404, PROBLEM, 'unknown_task'])
    expect(await refused('ada')).toEqual([403, PROBLEM, 'about:blank'])
    expect(await refused('lea', { approved_until: at(14_401) })).toEqual([
      403,
      PROBLEM,
      'about:blank',
    ])
    const approved = await decideAs('lea', task.id, 'approve', { approved_until: at(60) })
    expect([approved.status, approved.json.task.status]).toEqual([200, 'approved'])
    expect(approved.json.result).toEqual({
      mode: 'reevaluate',
      approval: { id: approved.headers.get('x-decision-id'), approved_until: at(60) },
    })
    expect((await ask('/access/v1/evaluation', tuple, bearer('shop'))).json.decision).toBe(true)
    const revoked = await decideAs('lea', task.id, 'revoke')
    expect(revoked.status).toBe(200)
    expect((await ask('/access/v1/evaluation', tuple, bearer('shop'))).json.decision).toBe(false)
  })

  test('approvers deny over HTTP', async () => {
    const denial = await denialFor('ada')
    const { task } = (await ask(REQUESTS, { ...tuple, denial }, bearer('ada'))).json
    const denied = await decideAs('lea', task.id, 'deny')
    expect([denied.status, denied.json.task.status]).toEqual([200, 'denied'])
    expect(problem(await decideAs('lea', task.id, 'approve'))).toEqual([
      409,
      PROBLEM,
      'invalid_task_state',
    ])
  })

  test('who neither is the subject nor may ask for others does not', async () => {
    const denial = await denialFor('ada')
    for (const id of ['joe', 'lea', 'shop'])
      expect(problem(await ask(REQUESTS, { ...tuple, denial }, bearer(id)))).toEqual([
        403,
        PROBLEM,
        'about:blank',
      ])
  })
})
