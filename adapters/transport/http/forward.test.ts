/** The endpoint that proxies ask, over sockets: what each proxy sends, and what its client could have written into it. */
import { createHash } from 'node:crypto'
import { afterEach, describe, expect, test } from 'vitest'
import { NoDecision } from '../../../core/error.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { DECISION_ID, decision, FakeKernel } from '../../../test/fake-kernel.ts'
import { type RawAnswer, RawClient } from '../../../test/raw-http.ts'
import { type ForwardAuthOptions, type HttpOptions, type HttpServer, serveHttp } from './index.ts'

const open: (HttpServer | RawClient)[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse())
    await (each instanceof RawClient ? each.destroy() : each.close())
})

const HOST = 'app.example.com'
const ROUTES: ForwardAuthOptions['routes'] = [
  {
    methods: ['GET', 'HEAD'],
    path: '/checkpoints/{id}',
    action: 'read',
    resource: { type: 'checkpoint', id: '{id}' },
  },
  {
    host: 'files.example.com',
    path: '/{owner}/{rest*}',
    action: 'open',
    resource: { type: 'file', id: '{owner}:{rest}' },
  },
]

async function served(
  options: Partial<ForwardAuthOptions> = {},
  kernel: FakeKernel = new FakeKernel(),
  more: HttpOptions = {},
): Promise<{
  kernel: FakeKernel
  asked: () => unknown
  ask: (line: string, headers?: readonly string[]) => Promise<RawAnswer>
}> {
  const forwardAuth = { proxy: 'envoy', hosts: [HOST, 'files.example.com'], ...options } as const
  const server = await serveHttp(kernel, { ...more, forwardAuth })
  open.push(server)
  const raw = await RawClient.to(server.port)
  open.push(raw)
  return {
    kernel,
    asked: () => kernel.dispatches.at(-1)?.submission.payload.json(),
    async ask(line, headers = [`Host: ${HOST}`]) {
      raw.write(`${[`${line} HTTP/1.1`, ...headers].join('\r\n')}\r\n\r\n`)
      const answer = await raw.answer(line.startsWith('HEAD'))
      if (answer === undefined) throw new Error('the connection ended')
      return answer
    },
  }
}

const deny = (...codes: string[]): FakeKernel =>
  new FakeKernel(async () =>
    decision({
      allow: false,
      reasons: codes.map((code) => ({ code, message: 'no', rule: 'access.rule' })),
    }),
  )

describe('the answer', () => {
  test('an allow is 200, with the decision and without a body', async () => {
    const { ask } = await served()
    const answer = await ask('GET /authorize/a')
    expect(answer).toMatchObject({ status: 200, body: '' })
    expect(answer.headers.get('x-decision-id')).toBe(DECISION_ID)
    expect(answer.headers.get('cache-control')).toBe('no-store')
  })

  test('a deny is 403 and says why', async () => {
    const { ask } = await served({}, deny('not_permitted', 'not_owner', 'not_owner'))
    const answer = await ask('DELETE /authorize/a')
    expect(answer.status).toBe(403)
    expect(answer.headers.get('assay-reason')).toBe('not_permitted,not_owner')
    expect(answer.headers.get('x-decision-id')).toBe(DECISION_ID)
    expect(JSON.parse(answer.body)).toEqual({
      error: 'forbidden',
      reasons: ['not_permitted', 'not_owner'],
      decision_id: DECISION_ID,
    })
  })

  test('no decision is 503 with Retry-After', async () => {
    const failing = new FakeKernel(() => Promise.reject(new NoDecision('overloaded', 'full')))
    const { ask } = await served({}, failing)
    const answer = await ask('GET /authorize/a')
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
  })

  test('a kernel that breaks is 503 and is not quoted', async () => {
    const { ask } = await served({}, new FakeKernel(() => Promise.reject(new Error('secret'))))
    const answer = await ask('GET /authorize/a')
    expect(answer.status).toBe(503)
    expect(answer.body).not.toContain('secret')
  })

  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD', 'PROPFIND'])(
    '%s is decided like any other method, its body unread',
    async (method) => {
      const { ask, asked } = await served()
      const answer = await ask(`${method} /authorize/a`, [`Host: ${HOST}`, 'Content-Length: 0'])
      expect(answer.status).toBe(200)
      expect(asked()).toMatchObject({ action: { name: method } })
    },
  )

  test('the upstream learns who it is, from this server and nobody else', async () => {
    const { ask } = await served({
      upstreamHeader: 'X-Assay-Subject',
      subject: { header: 'x-auth-user' },
    })
    const headers = [`Host: ${HOST}`, 'X-Assay-Subject: user/root']
    const named = await ask('GET /authorize/a', [...headers, 'X-Auth-User: a/b%'])
    expect(named.headers.get('x-assay-subject')).toBe('user/a%2Fb%25')
    const unnamed = await ask('GET /authorize/a', headers)
    expect(unnamed.headers.get('x-assay-subject')).toBe('anonymous/anonymous')
  })
})

describe('the question', () => {
  test('is about the path, where no route fits', async () => {
    const { ask, asked } = await served({ routes: ROUTES })
    await ask('POST /authorize/checkpoints/7?x=1')
    expect(asked()).toEqual({
      subject: { type: 'anonymous', id: 'anonymous' },
      action: { name: 'POST' },
      resource: { type: 'route', id: '/checkpoints/7' },
      context: {
        http: { method: 'POST', host: HOST, path: '/checkpoints/7', query: {}, headers: {} },
      },
    })
  })

  test('is what the first route that fits says', async () => {
    const { ask, asked } = await served({ routes: ROUTES })
    await ask('GET /authorize/checkpoints/c%207')
    expect(asked()).toMatchObject({
      action: { name: 'read' },
      resource: { type: 'checkpoint', id: 'c 7' },
    })
    await ask('PUT /authorize/ada/x/y', ['Host: FILES.example.com:8443'])
    expect(asked()).toMatchObject({
      action: { name: 'open' },
      resource: { type: 'file', id: 'ada:x/y' },
    })
  })

  test.each([
    '/checkpoints',
    '/checkpoints/',
    '/checkpoints/7/',
    '/checkpoints/7/8',
    '/Checkpoints/7',
  ])('%s fits no route', async (path) => {
    const { ask, asked } = await served({ routes: ROUTES })
    await ask(`GET /authorize${path}`)
    expect(asked()).toMatchObject({ resource: { type: 'route', id: path } })
  })

  test('has the headers and query parameters that the operator lists, and no others', async () => {
    const { ask, asked } = await served({
      claims: { headers: ['X-Purpose', 'X-Absent'], query: ['team', '__proto__'] },
    })
    const headers = [`Host: ${HOST}`, 'X-Purpose: audit', 'Cookie: a=b', 'Authorization: Bearer x']
    await ask('GET /authorize/a?team=a&token=t&team=b&__proto__=c', headers)
    expect(asked()).toMatchObject({
      context: { http: { headers: { 'x-purpose': 'audit' }, query: { team: ['a', 'b'] } } },
    })
    expect(JSON.stringify(asked())).toContain('"__proto__":["c"]')
    expect(JSON.stringify(asked())).not.toMatch(/Bearer|token|cookie/i)
  })
})

describe('the way that other proxies ask', () => {
  test.each([
    ['nginx', 'X-Original', 'URI'],
    ['traefik', 'X-Forwarded', 'Uri'],
    ['caddy', 'X-Forwarded', 'Uri'],
  ] as const)('%s: method, host and path in %s-*', async (proxy, prefix, uri) => {
    const { ask, asked } = await served({ proxy, routes: ROUTES })
    const headers = [
      'Host: 127.0.0.1',
      `${prefix}-Method: GET`,
      `${prefix}-Host: ${HOST}`,
      `${prefix}-${uri}: /checkpoints/7?x=1`,
    ]
    expect((await ask('GET /authorize', headers)).status).toBe(200)
    expect(asked()).toMatchObject({
      action: { name: 'read' },
      resource: { type: 'checkpoint', id: '7' },
    })
    for (const left of [1, 2, 3])
      expect((await ask('GET /authorize', headers.toSpliced(left, 1))).status).toBe(400)
    const twice = [...headers, `${prefix}-${uri}: /public`]
    expect((await ask('GET /authorize', twice)).status).toBe(400)
    expect((await ask('GET /authorize', [...headers, `${prefix}-Method: PUT`])).status).toBe(400)
    expect((await ask('GET /authorize/checkpoints/7', headers)).status).toBe(400)
  })
})

test('Traefik’s question, as its ForwardAuth forms it (v3.6.12): the client’s headers, then its own over them', async () => {
  const { ask, asked } = await served({ proxy: 'traefik', routes: ROUTES })
  const answer = await ask('GET /authorize', [
    'Host: 127.0.0.1:8180',
    'User-Agent: curl/8.5.0',
    'Accept: */*',
    'Cookie: session=1',
    'X-Forwarded-For: 192.0.2.7',
    'X-Forwarded-Host: app.example.com:8443',
    'X-Forwarded-Method: GET',
    'X-Forwarded-Proto: https',
    'X-Forwarded-Uri: /checkpoints/7?x=1',
    'Accept-Encoding: gzip',
  ])
  expect(answer.status).toBe(200)
  expect(asked()).toMatchObject({
    action: { name: 'read' },
    resource: { type: 'checkpoint', id: '7' },
    context: { http: { host: HOST } },
  })
})

describe('what a client could write', () => {
  test('another proxy’s headers are not read', async () => {
    const { ask, asked } = await served()
    const forged = ['X-Forwarded-', 'X-Original-'].flatMap((prefix) => [
      `${prefix}Method: GET`,
      `${prefix}Uri: /public`,
      `${prefix}Host: files.example.com`,
    ])
    await ask('DELETE /authorize/admin', [`Host: ${HOST}`, ...forged])
    expect(asked()).toMatchObject({
      action: { name: 'DELETE' },
      resource: { id: '/admin' },
      context: { http: { host: HOST } },
    })
  })

  test('nobody is who a header says, unless the operator named that header', async () => {
    const forged = ['X-Auth-User: root', 'X-Remote-User: root', 'X-Assay-Subject: user/root']
    const { ask, asked, kernel } = await served({ upstreamHeader: 'x-assay-subject' })
    await ask('GET /authorize/a', [`Host: ${HOST}`, ...forged])
    expect(asked()).toMatchObject({ subject: { type: 'anonymous', id: 'anonymous' } })
    expect(kernel.dispatches[0]?.submission.peer).toEqual({ kind: 'anonymous', id: 'anonymous' })
  })

  describe('with authentication', () => {
    const peers = { proxy: 'a'.repeat(32), user: 'b'.repeat(32) }
    const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
    const auth: HttpOptions['auth'] = {
      kind: 'bearer',
      tokens: [
        { sha256: sha256(peers.proxy), peer: { kind: 'service', id: 'envoy' } },
        { sha256: sha256(peers.user), peer: { kind: 'user', id: 'ada' } },
      ],
    }
    const bearer = (token: string): string => `Authorization: Bearer ${token}`
    const forged = 'X-Auth-User: root'

    test('the subject is the peer, whatever the headers say', async () => {
      const { ask, asked, kernel } = await served({}, new FakeKernel(), { auth })
      expect(
        (await ask('GET /authorize/a', [`Host: ${HOST}`, bearer(peers.user), forged])).status,
      ).toBe(200)
      expect(asked()).toMatchObject({ subject: { type: 'user', id: 'ada' } })
      expect(kernel.dispatches[0]?.submission.peer).toEqual({ kind: 'user', id: 'ada' })
    })

    test('who is not identified gets no decision', async () => {
      const { ask, kernel } = await served({ subject: { header: 'x-auth-user' } }, undefined, {
        auth,
      })
      for (const headers of [[], [bearer('c'.repeat(32))], ['Authorization: Basic YTpi']])
        expect((await ask('GET /authorize/a', [`Host: ${HOST}`, forged, ...headers])).status).toBe(
          401,
        )
      expect(kernel.dispatches).toEqual([])
    })

    test('a header is believed from the proxy, and from nobody else', async () => {
      const subject = { header: 'x-auth-user', from: ['envoy'] }
      const { ask, asked } = await served({ subject }, undefined, { auth })
      await ask('GET /authorize/a', [`Host: ${HOST}`, bearer(peers.proxy), 'X-Auth-User: ben'])
      expect(asked()).toMatchObject({ subject: { type: 'user', id: 'ben' } })
      await ask('GET /authorize/a', [`Host: ${HOST}`, bearer(peers.user), forged])
      expect(asked()).toMatchObject({ subject: { type: 'user', id: 'ada' } })
    })
  })

  test('a header is not believed where anybody can write it', async () => {
    const forwardAuth = { proxy: 'envoy', subject: { header: 'x-auth-user' } } as const
    const options = { host: '0.0.0.0', allowNonLoopback: true, forwardAuth }
    expect(await refusal(serveHttp(new FakeKernel(), options))).toBe('invalid_options')
  })

  test('the header that names the subject cannot name two', async () => {
    const { ask, asked, kernel } = await served({
      subject: { header: 'X-Auth-User', type: 'person' },
    })
    const once = [`Host: ${HOST}`, 'X-Auth-User: ada']
    await ask('GET /authorize/a', once)
    expect(asked()).toMatchObject({ subject: { type: 'person', id: 'ada' } })
    expect((await ask('GET /authorize/a', [...once, 'X-Auth-User: ben'])).status).toBe(400)
    expect((await ask('GET /authorize/a', [...once, 'X-Auth-User:'])).status).toBe(400)
    expect((await ask('GET /authorize/a', [`Host: ${HOST}`, 'X-Auth-User: \u00e9'])).status).toBe(
      400,
    )
    expect(kernel.dispatches.length).toBe(1)
    await ask('GET /authorize/a', [`Host: ${HOST}`, 'X-Auth-User: CN=ada, O=Lab'])
    expect(asked()).toMatchObject({ subject: { type: 'person', id: 'CN=ada, O=Lab' } })
  })

  test('the headers of Assay’s own clients mean nothing', async () => {
    const { ask, kernel } = await served()
    await ask('GET /authorize/a', [
      `Host: ${HOST}`,
      'Assay-Obligations: step-up',
      'Idempotency-Key: k',
      'Assay-Seal: durable',
      'Assay-Timeout-Ms: 1',
    ])
    const { submission, options } = kernel.dispatches[0] as (typeof kernel.dispatches)[number]
    expect(Object.keys(submission).sort()).toEqual(['action', 'payload', 'peer'])
    expect(Object.keys(options)).toEqual(['signal'])
  })

  test.each([
    '/authorize/../health/live',
    '/authorize/x/../../health/live',
    '/authorize/%2e%2e/health/live',
    '/authorize/x/..%2f..%2fhealth/live',
    '/authorize//health/live',
    '/authorizeX',
    '/authorize*',
    '/authorize',
  ])('%s reaches no other endpoint and no decision', async (target) => {
    const { ask, kernel } = await served()
    expect((await ask(`GET ${target}`)).status).toBe(403)
    expect(kernel.dispatches).toEqual([])
    expect(kernel.refusals).toEqual(['http ambiguous_path'])
  })

  test('a host that is not protected here is refused', async () => {
    const { ask, kernel } = await served()
    expect((await ask('GET /authorize/a', ['Host: other.example.com'])).status).toBe(403)
    const nginx = await served({ proxy: 'nginx' })
    const headers = ['X-Original-Method: GET', 'X-Original-URI: /', 'X-Original-Host: evil.example']
    expect((await nginx.ask('GET /authorize', ['Host: localhost', ...headers])).status).toBe(403)
    expect([...kernel.dispatches, ...nginx.kernel.dispatches]).toEqual([])
  })
})

describe('options', () => {
  test.each<[name: string, options: Partial<ForwardAuthOptions>]>([
    ['an unknown proxy', { proxy: 'haproxy' as 'envoy' }],
    ['the root', { path: '/' }],
    ['a path with dots', { path: '/a/../b' }],
    ['a path of other endpoints', { path: '/access' }],
    ['the beginning of such a path', { path: '/heal' }],
    ['a path among those of the log', { path: '/log/tile/authorize' }],
    ['a path of realms', { path: '/realms/blue' }],
    ['a path of metrics', { path: '/metrics' }],
    ["a path of OPA's", { path: '/v1' }],
    ['a header that is none', { subject: { header: 'a b' } }],
    ['a secret as a claim', { claims: { headers: ['Authorization'] } }],
    ['a cookie as a claim', { claims: { headers: ['set-cookie'] } }],
    ['too many claims', { claims: { query: Array.from({ length: 33 }, String) } }],
    ['a header for the upstream that is none', { upstreamHeader: 'a:b' }],
    ['a route without a slash', route('a')],
    ['a route with half a place', route('/a{b}')],
    ['a route with a rest in the middle', route('/{a*}/b')],
    ['a route that names a place twice', route('/{a}/{a}')],
    ['a route with an encoded path', route('/a%20b')],
    ['a resource that the path does not name', route('/{a}', '{b}')],
  ])('%s is refused', async (_, options) => {
    const forwardAuth = { proxy: 'envoy', ...options } as ForwardAuthOptions
    const opa = { modules: new Map(), served: { rules: [] }, refresh: async () => {} }
    const operations = { metrics: async () => ({ contentType: 'text/plain', body: '' }) }
    const whole = { forwardAuth, opa, operations }
    expect(await refusal(serveHttp(new FakeKernel(), whole))).toBe('invalid_options')
  })
})

function route(path: string, id = 'x'): Partial<ForwardAuthOptions> {
  return { routes: [{ path, action: 'read', resource: { type: 't', id } }] }
}
