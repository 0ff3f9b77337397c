import { describe, expect, test } from 'vitest'
import { sha256Hex } from '../../../core/crypto.ts'
import { refusal } from '../../../test/conformance/laws.ts'
import { FakeKernel } from '../../../test/fake-kernel.ts'
import { posted } from '../../../test/http-lanes.ts'
import { RawClient, rawPost } from '../../../test/raw-http.ts'
import { manualClock } from '../../clock/manual.ts'
import type { AuthOption } from './auth-options.ts'
import { type HttpOptions, type HttpServer, serveHttp } from './index.ts'

const EVALUATION = '/access/v1/evaluation'
const TEXT = JSON.stringify({
  subject: { type: 'user', id: 'a' },
  action: { name: 'read' },
  resource: { type: 'r', id: 'b' },
})
const token = (name: string): string => `${name}-token-of-many-characters`
const tokens = (names: Readonly<Record<string, string | undefined>>): AuthOption => ({
  kind: 'bearer',
  tokens: Object.entries(names).map(([id, realm]) => ({
    sha256: sha256Hex(token(id)),
    peer: { kind: 'service', id },
    ...(realm === undefined ? {} : { realm }),
  })),
})
const as = (name: string): Record<string, string> => ({ Authorization: `Bearer ${token(name)}` })

async function served(
  options: HttpOptions,
  use: (
    server: HttpServer,
    kernel: FakeKernel,
    clock: ReturnType<typeof manualClock>,
  ) => Promise<void>,
): Promise<void> {
  const kernel = new FakeKernel()
  const clock = manualClock(1_790_000_000_000)
  const server = await serveHttp(kernel, { clock, ...options })
  try {
    await use(server, kernel, clock)
  } finally {
    await server.close()
  }
}

describe('limits', () => {
  test('of a source are there before anybody is authenticated, and not for liveness', async () => {
    const rateLimit = { perSource: { perSecond: 0.5, burst: 2 } }
    await served({ rateLimit, auth: tokens({ a: undefined }) }, async ({ url }, kernel, clock) => {
      const statuses: number[] = []
      for (const headers of [{}, as('a'), as('a')])
        statuses.push((await fetch(url + EVALUATION, posted(TEXT, headers))).status)
      expect(statuses).toEqual([401, 200, 429])
      const late = await fetch(url + EVALUATION, posted(TEXT, as('a')))
      expect(late.headers.get('retry-after')).toBe('2')
      expect(await late.text()).toMatch(/^rate_limited: /)
      expect((await fetch(`${url}/health/live`)).status).toBe(200)
      expect((await fetch(`${url}/log/checkpoint`)).status).toBe(429)
      expect(kernel.refusals.filter((each) => each === 'http rate_limited').length).toBe(3)
      clock.advance(2000)
      expect((await fetch(url + EVALUATION, posted(TEXT, as('a')))).status).toBe(200)
    })
  })

  test('of a peer are its own', async () => {
    const rateLimit = { perPeer: { perSecond: 1, burst: 1 } }
    const auth = tokens({ a: undefined, b: undefined })
    await served({ rateLimit, auth }, async ({ url }) => {
      const status = async (name: string): Promise<number> =>
        (await fetch(url + EVALUATION, posted(TEXT, as(name)))).status
      expect([await status('a'), await status('a'), await status('b')]).toEqual([200, 429, 200])
    })
  })

  test('cannot be had anew by naming another address', async () => {
    const rateLimit = { perSource: { perSecond: 1, burst: 2 } }
    const spoof = (i: number): string[] => [
      `X-Forwarded-For: 203.0.113.${i}`,
      `X-Real-IP: 203.0.113.${i}`,
      `Forwarded: for=203.0.113.${i}`,
    ]
    const askTwice = async (
      { port }: HttpServer,
      from: number,
    ): Promise<(number | undefined)[]> => {
      const raw = await RawClient.to(port)
      const statuses: (number | undefined)[] = []
      for (const i of [from, from + 1, from + 2]) {
        raw.write(rawPost(EVALUATION, TEXT, spoof(i)))
        statuses.push((await raw.answer())?.status)
      }
      raw.destroy()
      return statuses
    }
    await served({ rateLimit }, async (server) => {
      expect(await askTwice(server, 1)).toEqual([200, 200, 429])
    })
    await served({ rateLimit, trustedProxies: ['127.0.0.0/8'] }, async (server) => {
      expect(await askTwice(server, 1)).toEqual([200, 200, 200])
    })
  })

  test.each<[string, HttpOptions]>([
    ['without a clock', { rateLimit: { perPeer: { perSecond: 1 } } }],
    ['of nothing', { clock: manualClock(0), rateLimit: { perPeer: { perSecond: 0 } } }],
    [
      'without a burst',
      { clock: manualClock(0), rateLimit: { perPeer: { perSecond: 1, burst: 0 } } },
    ],
    [
      'without places',
      { clock: manualClock(0), rateLimit: { perPeer: { perSecond: 1 }, places: 0 } },
    ],
  ])('%s are refused before anything is served', async (_, options) => {
    expect(await refusal(serveHttp(new FakeKernel(), options))).toBe('invalid_options')
  })
})

describe('realms', () => {
  const two = async (
    auth: AuthOption,
    use: (
      server: HttpServer,
      kernels: Readonly<Record<'a' | 'b' | 'own', FakeKernel>>,
    ) => Promise<void>,
    options: HttpOptions = {},
  ): Promise<void> => {
    const [a, b] = [new FakeKernel(), new FakeKernel()]
    await served(
      { auth, realms: { a: { kernel: a }, b: { kernel: b } }, ...options },
      (server, own) => use(server, { a, b, own }),
    )
  }
  const counts = (kernels: Readonly<Record<string, FakeKernel>>): Record<string, number> =>
    Object.fromEntries(
      Object.entries(kernels).map(([name, { dispatches }]) => [name, dispatches.length]),
    )

  test('come from the route alone where nobody is authenticated', async () => {
    await two('none', async ({ url }, kernels) => {
      const body = { ...JSON.parse(TEXT), realm: 'b' }
      const headers = { 'Assay-Realm': 'b', 'X-Realm': 'b' }
      expect((await fetch(`${url}/realms/a${EVALUATION}`, posted(body, headers))).status).toBe(200)
      expect(counts(kernels)).toEqual({ a: 1, b: 0, own: 0 })
      expect((await fetch(url + EVALUATION, posted(body, headers))).status).toBe(200)
      expect(counts(kernels)).toEqual({ a: 1, b: 0, own: 1 })
      expect((await fetch(`${url}/realms/c${EVALUATION}`, posted(TEXT))).status).toBe(404)
      const metadata = await fetch(`${url}/realms/a/.well-known/authzen-configuration`)
      expect(await metadata.json()).toMatchObject({ policy_decision_point: `${url}/realms/a` })
    })
  })

  test('are only for those who belong to them', async () => {
    const auth = tokens({ alice: 'a', bob: 'b', olga: undefined })
    await two(auth, async ({ url }, kernels) => {
      const status = async (name: string, realm: string): Promise<number> =>
        (await fetch(`${url}${realm}${EVALUATION}`, posted(TEXT, as(name)))).status
      const table: Record<string, number[]> = {}
      for (const name of ['alice', 'bob', 'olga'])
        table[name] = [
          await status(name, '/realms/a'),
          await status(name, '/realms/b'),
          await status(name, ''),
          await status(name, '/realms/none'),
        ]
      expect(table).toEqual({
        alice: [200, 403, 403, 403],
        bob: [403, 200, 403, 403],
        olga: [403, 403, 200, 403],
      })
      expect(counts(kernels)).toEqual({ a: 1, b: 1, own: 1 })
      expect(kernels.a.refusals).toEqual(['http wrong_realm', 'http wrong_realm'])
      expect((await fetch(`${url}/realms/none${EVALUATION}`, posted(TEXT))).status).toBe(401)
    })
  })

  test('cannot be crossed by writing the path in another way', async () => {
    await two(tokens({ alice: 'a' }), async ({ port }, kernels) => {
      const raw = await RawClient.to(port)
      for (const path of [
        `/realms/a/../b${EVALUATION}`,
        `/realms/a/%2e%2e/b${EVALUATION}`,
        `/realms/a/..%2fb${EVALUATION}`,
        `/realms/a//realms/b${EVALUATION}`,
        `/realms/a/realms/b${EVALUATION}`,
        `/realms/%62${EVALUATION}`,
        `/realms/B${EVALUATION}`,
        `//realms/b${EVALUATION}`,
        `/./realms/b${EVALUATION}`,
        `/realms/b;a${EVALUATION}`,
        `/realms/b?${EVALUATION}`,
        `http://127.0.0.1/realms/b${EVALUATION}`,
        `/realms/__proto__${EVALUATION}`,
      ]) {
        raw.write(rawPost(path, TEXT, [`Authorization: Bearer ${token('alice')}`]))
        const answer = await raw.answer()
        expect([path, answer?.status]).not.toEqual([path, 200])
      }
      raw.destroy()
      expect(counts(kernels)).toEqual({ a: 0, b: 0, own: 0 })
    })
  })

  test('have limits of their own', async () => {
    const kernels = { a: new FakeKernel(), b: new FakeKernel() }
    const rateLimit = { perSource: { perSecond: 1, burst: 1 } }
    const realms = { a: { kernel: kernels.a, rateLimit }, b: { kernel: kernels.b, rateLimit } }
    await served({ realms }, async ({ url }) => {
      const status = async (realm: string): Promise<number> =>
        (await fetch(`${url}${realm}${EVALUATION}`, posted(TEXT))).status
      expect(await status('/realms/a')).toBe(200)
      expect(await status('/realms/a')).toBe(429)
      expect(await status('/realms/b')).toBe(200)
      expect([await status(''), await status('')]).toEqual([200, 200])
    })
  })

  test.each(['', 'A', 'a/b', '..', 'a b', '-a', 'a'.repeat(33)])(
    '%j is no name of one',
    async (name) => {
      const realms = { [name]: { kernel: new FakeKernel() } }
      expect(await refusal(serveHttp(new FakeKernel(), { realms }))).toBe('invalid_options')
    },
  )
})

describe('pages of other origins', () => {
  const origin = 'https://console.example.com'
  const preflight = (from: string): RequestInit => ({
    method: 'OPTIONS',
    headers: { Origin: from, 'Access-Control-Request-Method': 'POST' },
  })
  const allowed = (answer: Response): string | null =>
    answer.headers.get('access-control-allow-origin')

  test('read nothing by default', async () => {
    await served({}, async ({ url }) => {
      const asked = await fetch(url + EVALUATION, preflight(origin))
      expect([asked.status, allowed(asked)]).toEqual([405, null])
      expect(allowed(await fetch(url + EVALUATION, posted(TEXT, { Origin: origin })))).toBeNull()
    })
  })

  test('read answers when they are named exactly, and are told so before they ask', async () => {
    const auth = tokens({ a: undefined })
    await served({ cors: { origins: [origin] }, auth, open: [] }, async ({ url }, kernel) => {
      const asked = await fetch(url + EVALUATION, preflight(origin))
      expect([asked.status, allowed(asked)]).toEqual([204, origin])
      expect(asked.headers.get('access-control-allow-methods')).toBe('POST')
      expect(asked.headers.get('access-control-allow-headers')).toContain('authorization')
      expect(asked.headers.get('access-control-allow-credentials')).toBeNull()
      const answer = await fetch(url + EVALUATION, posted(TEXT, { ...as('a'), Origin: origin }))
      expect([answer.status, allowed(answer)]).toEqual([200, origin])
      expect(answer.headers.get('vary')).toBe('Origin')
      expect(answer.headers.get('access-control-expose-headers')).toContain('x-decision-id')
      const refused = await fetch(url + EVALUATION, posted(TEXT, { Origin: origin }))
      expect([refused.status, allowed(refused)]).toEqual([401, origin])
      for (const from of [
        'https://evil.example',
        'null',
        `${origin}.evil.example`,
        'http://console.example.com',
      ]) {
        expect(allowed(await fetch(url + EVALUATION, preflight(from)))).toBeNull()
        const other = await fetch(url + EVALUATION, posted(TEXT, { ...as('a'), Origin: from }))
        expect([allowed(other), other.headers.get('vary')]).toEqual([null, 'Origin'])
      }
      expect((await fetch(`${url}/no/such/path`, preflight(origin))).status).toBe(401)
      expect(kernel.dispatches.length).toBe(5)
    })
  })

  test('never make a proxy let a request through', async () => {
    const forwardAuth = { proxy: 'nginx' } as const
    await served({ cors: { origins: [origin] }, forwardAuth }, async ({ url }, kernel) => {
      kernel.script = () => Promise.reject(new Error('nobody is let through'))
      const answer = await fetch(`${url}/authorize`, preflight(origin))
      expect(answer.status).toBeGreaterThanOrEqual(400)
    })
  })

  test.each([
    '*',
    'https://a.example/',
    'https://a.example/x',
    'a.example',
    'null',
    'https://A.example',
  ])('%s is no origin that can be named', async (name) => {
    expect(await refusal(serveHttp(new FakeKernel(), { cors: { origins: [name] } }))).toBe(
      'invalid_options',
    )
  })
})
