import { once } from 'node:events'
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { refusal } from '../../../test/conformance/laws.ts'
import { decision, FakeKernel } from '../../../test/fake-kernel.ts'
import { posted } from '../../../test/http-lanes.ts'
import { RawClient, rawPost } from '../../../test/raw-http.ts'
import { createApp, type HttpOptions, serveHttp } from './index.ts'

const EVALUATION = '/access/v1/evaluation'
const asked = {
  subject: { type: 'user', id: 'a' },
  action: { name: 'read' },
  resource: { type: 'r', id: 'b' },
}
const TEXT = JSON.stringify(asked)

describe('options', () => {
  test.each<[name: string, options: HttpOptions]>([
    ['a port beyond the last', { port: 65_536 }],
    ['a port that is no whole number', { port: 1.5 }],
    ['no bytes at all', { maxBodyBytes: 0 }],
    ['more items than ids fit into a header', { evaluationsMax: 401 }],
    ['no place', { maxConcurrent: 0 }],
    ['no time', { requestTimeoutMs: 0 }],
    ['an unknown seal', { seal: 'witnessed' as 'sealed' }],
    ['an unknown way to authenticate', { auth: 'basic' as 'none' }],
    ['every interface', { host: '0.0.0.0' }],
    ['every interface of IPv6', { host: '::' }],
    ['another machine', { host: '192.0.2.1' }],
    ['a name that looks like loopback', { host: '127.0.0.1.example.com' }],
    ['an empty host', { host: '' }],
    ['a URL that is none', { publicUrl: 'pdp.example.com' }],
    ['a URL of another kind', { publicUrl: 'ftp://pdp.example.com' }],
    ['a URL with a query', { publicUrl: 'https://pdp.example.com/?a' }],
    ['a URL with a fragment', { publicUrl: 'https://pdp.example.com/#' }],
    ['a URL with a password', { publicUrl: 'https://a:b@pdp.example.com/' }],
    ['an address that is not here', { host: '192.0.2.1', allowNonLoopback: true }],
  ])('%s is refused', async (_, options) => {
    expect(await refusal(serveHttp(new FakeKernel(), options))).toBe('invalid_options')
  })

  test('a refused option leaves nothing listening', async () => {
    const blocked = createServer().listen(0, '127.0.0.1')
    await once(blocked, 'listening')
    const { port } = blocked.address() as { port: number }
    blocked.close()
    await once(blocked, 'close')
    for (const options of [{ evaluationsMax: 0 }, { publicUrl: 'x' }])
      expect(await refusal(serveHttp(new FakeKernel(), { port, ...options }))).toBe(
        'invalid_options',
      )
    const { close } = await serveHttp(new FakeKernel(), { port })
    await close()
  })

  test('a port in use is said to be in use', async () => {
    const { port, close } = await serveHttp(new FakeKernel(), {})
    expect(await refusal(serveHttp(new FakeKernel(), { port }))).toBe('address_in_use')
    await close()
    await (await serveHttp(new FakeKernel(), { port })).close()
  })

  test('the app refuses what it cannot serve', () => {
    expect(() => createApp(new FakeKernel(), { publicUrl: 'x' })).toThrow()
    expect(() =>
      createApp(new FakeKernel(), { publicUrl: 'https://x', maxBodyBytes: -1 }),
    ).toThrow()
  })
})

describe('where it listens', () => {
  test('is its public URL unless another is named', async () => {
    const { url, port, close } = await serveHttp(new FakeKernel(), {})
    expect(url).toBe(`http://127.0.0.1:${port}`)
    const metadata = await (await fetch(`${url}/.well-known/authzen-configuration`)).json()
    expect(metadata.policy_decision_point).toBe(url)
    await close()
  })

  const served = async (
    options: HttpOptions,
    ask: (raw: RawClient) => Promise<void>,
  ): Promise<FakeKernel> => {
    const kernel = new FakeKernel()
    const { port, close } = await serveHttp(kernel, options)
    const raw = await RawClient.to(port)
    await ask(raw)
    raw.destroy()
    await close()
    return kernel
  }
  const hosted = (host: string): string => rawPost(EVALUATION, TEXT).replace('127.0.0.1', host)

  test.each([
    '127.0.0.1',
    '127.0.0.1:8180',
    'localhost:1',
    'LOCALHOST',
    '[::1]:8180',
    'pdp.example.com',
  ])('Host: %s is served', async (host) => {
    await served({ publicUrl: 'https://pdp.example.com/assay' }, async (raw) => {
      raw.write(hosted(host))
      expect((await raw.answer())?.status).toBe(200)
    })
  })

  test.each([
    'evil.example',
    'evil.example:8180',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    '',
  ])('Host: %s is refused: a page that rebinds its name gets nothing', async (host) => {
    const kernel = await served({}, async (raw) => {
      raw.write(hosted('127.0.0.1'))
      expect((await raw.answer())?.status).toBe(200)
      raw.write(hosted(host))
      const answer = await raw.answer()
      expect([answer?.status, answer?.body]).toEqual([
        403,
        expect.stringMatching(/^forbidden_host: /),
      ])
      raw.write(`GET /log/checkpoint HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      expect((await raw.answer())?.status).toBe(403)
    })
    expect(kernel.dispatches.length).toBe(1)
  })

  test('every host is served once that was allowed', async () => {
    await served({ host: '0.0.0.0', allowNonLoopback: true }, async (raw) => {
      raw.write(hosted('pdp.internal'))
      expect((await raw.answer())?.status).toBe(200)
    })
  })
})

describe('concurrency', () => {
  test('over the limit is refused with a time to retry, and counted', async () => {
    let release = (): void => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const kernel = new FakeKernel(async () => {
      await held
      return decision()
    })
    const { url, close } = await serveHttp(kernel, { maxConcurrent: 2 })
    const first = [fetch(url + EVALUATION, posted(TEXT)), fetch(url + EVALUATION, posted(TEXT))]
    while (kernel.dispatches.length < 2) await sleep(5)
    const full = await fetch(url + EVALUATION, posted(TEXT))
    expect([full.status, full.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await full.text()).toMatch(/^overloaded: /)
    expect((await fetch(`${url}/health/live`)).status).toBe(200)
    expect(kernel.refusals).toEqual(['http overloaded'])
    release()
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200])
    expect((await fetch(url + EVALUATION, posted(TEXT))).status).toBe(200)
    await close()
  })
})

describe('close', () => {
  test('ends idle connections, also those that never asked', async () => {
    const { port, close } = await serveHttp(new FakeKernel(), {})
    const [used, unused] = [await RawClient.to(port), await RawClient.to(port)]
    used.write(rawPost(EVALUATION, TEXT))
    expect((await used.answer())?.status).toBe(200)
    await close()
    await Promise.all([used.end(), unused.end()])
  })

  test('tells a connection under way that it is the last answer', async () => {
    let release = (): void => {}
    const kernel = new FakeKernel(async () => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return decision()
    })
    const { port, close } = await serveHttp(kernel, {})
    const raw = await RawClient.to(port)
    raw.write(rawPost(EVALUATION, TEXT))
    while (kernel.dispatches.length < 1) await sleep(5)
    const closing = close()
    await sleep(50)
    release()
    const answer = await raw.answer()
    expect([answer?.status, answer?.headers.get('connection')]).toEqual([200, 'close'])
    await closing
    await raw.end()
  })

  test('does not wait longer for a slow body than a request may take', async () => {
    const { port, close } = await serveHttp(new FakeKernel(), { requestTimeoutMs: 300 })
    const slow = await RawClient.to(port)
    slow.write(rawPost(EVALUATION, TEXT).slice(0, -1))
    await sleep(50)
    await close()
    await slow.end()
  })

  test('answers a request that comes meanwhile with 503, and liveness with 200', async () => {
    let release = (): void => {}
    const kernel = new FakeKernel(async () => {
      await new Promise<void>((resolve) => {
        release = resolve
      })
      return decision()
    })
    const { port, close } = await serveHttp(kernel, {})
    const [busy, other, third] = [
      await RawClient.to(port),
      await RawClient.to(port),
      await RawClient.to(port),
    ]
    busy.write(rawPost(EVALUATION, TEXT))
    // A request that has begun keeps its connection.
    other.write(rawPost(EVALUATION, TEXT).slice(0, 10))
    third.write('GET /health/live HTTP/1.1\r\n')
    while (kernel.dispatches.length < 1) await sleep(5)
    await sleep(200)
    const closing = close()
    other.write(rawPost(EVALUATION, TEXT).slice(10))
    third.write('Host: localhost\r\n\r\n')
    const late = await other.answer()
    expect([late?.status, late?.body]).toEqual([503, expect.stringMatching(/^closed: /)])
    expect((await third.answer())?.status).toBe(200)
    release()
    expect((await busy.answer())?.status).toBe(200)
    await closing
    expect(kernel.dispatches.length).toBe(1)
  })
})
