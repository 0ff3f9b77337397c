import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { decision, FakeKernel } from '../../../test/fake-kernel.ts'
import { type RawAnswer, RawClient, rawPost } from '../../../test/raw-http.ts'
import { type HttpOptions, type HttpServer, serveHttp } from './index.ts'

const EVALUATION = '/access/v1/evaluation'
const BODY = JSON.stringify({
  subject: { type: 'user', id: 'alice' },
  action: { name: 'read' },
  resource: { type: 'record', id: 'record-1' },
})

const open: (HttpServer | RawClient)[] = []
afterEach(async () => {
  for (const each of open.splice(0).reverse())
    await (each instanceof RawClient ? each.destroy() : each.close())
})

async function served(options: HttpOptions = {}): Promise<{
  kernel: FakeKernel
  server: HttpServer
  client: () => Promise<RawClient>
}> {
  const kernel = new FakeKernel()
  const server = await serveHttp(kernel, options)
  open.push(server)
  const client = async (): Promise<RawClient> => {
    const raw = await RawClient.to(server.port)
    open.push(raw)
    return raw
  }
  return { kernel, server, client }
}

/** Asks again until the answer has this status. */
async function until(status: number, raw: RawClient): Promise<RawAnswer> {
  for (;;) {
    raw.write(rawPost(EVALUATION, BODY))
    const answer = await raw.answer()
    if (answer === undefined) throw new Error('the connection ended')
    if (answer.status === status) return answer
    await sleep(5)
  }
}

describe('time', () => {
  test('headers that do not end are cut with 408', async () => {
    const { client, kernel } = await served({ requestTimeoutMs: 200 })
    const raw = await client()
    raw.write(`POST ${EVALUATION} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Slow: `)
    const answer = await raw.answer()
    expect(answer?.status).toBe(408)
    expect(answer?.body).toMatch(/^timeout: /)
    await raw.end()
    expect(kernel.refusals).toEqual(['http timeout'])
  })

  test('a body that does not end is cut with 408 and is not dispatched', async () => {
    const { client, kernel } = await served({ requestTimeoutMs: 200 })
    const raw = await client()
    raw.write(rawPost(EVALUATION, BODY).slice(0, -1))
    expect((await raw.answer())?.status).toBe(408)
    await raw.end()
    expect(kernel.dispatches).toEqual([])
  })

  test('a body that drips in time is dispatched', async () => {
    const { client, kernel } = await served()
    const raw = await client()
    for (const part of rawPost(EVALUATION, BODY).match(/[\s\S]{1,40}/g) ?? []) {
      raw.write(part)
      await sleep(2)
    }
    expect((await raw.answer())?.body).toBe('{"decision":true}')
    expect(kernel.dispatches.length).toBe(1)
  })

  test('a slow body takes a place, and gives it back', async () => {
    const { client } = await served({ requestTimeoutMs: 1000, maxConcurrent: 1 })
    const slow = await client()
    slow.write(rawPost(EVALUATION, BODY).slice(0, -1))
    const other = await client()
    const full = await until(503, other)
    expect(full.headers.get('retry-after')).toBe('1')
    expect(full.body).toMatch(/^overloaded: /)
    await slow.end()
    await until(200, other)
  })
})

test('a connection over the limit is closed and counted; those before it are served, and its place is given back', async () => {
  const { client, kernel } = await served({ maxConnections: 2 })
  const [first, second] = [await client(), await client()]
  await until(200, first)
  await until(200, second)
  const third = await client()
  expect(await third.answer()).toBeUndefined()
  expect(kernel.refusals).toEqual(['http too_many_connections'])
  await until(200, first)
  await second.destroy()
  await expect
    .poll(async () => (await until(200, await client()).catch(() => undefined))?.status)
    .toBe(200)
})

describe('size', () => {
  const padded = (bytes: number): string => BODY + ' '.repeat(bytes - BODY.length)

  test('a declared length over the limit is refused before the body comes', async () => {
    const { client, kernel } = await served({ maxBodyBytes: 256 })
    const raw = await client()
    raw.write(rawPost(EVALUATION, padded(257)).slice(0, -257))
    const answer = await raw.answer()
    expect(answer?.status).toBe(413)
    expect(answer?.body).toMatch(/^too_large: /)
    expect(kernel.refusals).toEqual(['http too_large'])
  })

  test('after a body over the limit the connection serves the next request', async () => {
    const { client } = await served({ maxBodyBytes: 256 })
    const raw = await client()
    raw.write(rawPost(EVALUATION, padded(100_000)))
    expect((await raw.answer())?.status).toBe(413)
    raw.write(rawPost(EVALUATION, padded(256)))
    expect((await raw.answer())?.status).toBe(200)
  })

  const chunked = (body: string, size: number): string => {
    const head = `POST ${EVALUATION} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n`
    const chunks = body.match(new RegExp(`.{1,${size}}`, 'g')) ?? []
    return `${head}${chunks.map((chunk) => `${chunk.length.toString(16)}\r\n${chunk}\r\n`).join('')}0\r\n\r\n`
  }

  test('chunks count together: the limit is taken, one byte more is not', async () => {
    const { client, kernel } = await served({ maxBodyBytes: 256 })
    const raw = await client()
    raw.write(chunked(padded(256), 7))
    expect((await raw.answer())?.status).toBe(200)
    raw.write(chunked(padded(257), 7))
    expect((await raw.answer())?.status).toBe(413)
    raw.write(chunked(padded(256), 1))
    expect((await raw.answer())?.status).toBe(200)
    expect(kernel.dispatches.length).toBe(2)
  })

  test('garbage behind a body over the limit is refused as elsewhere', async () => {
    const { client } = await served({ maxBodyBytes: 256 })
    const raw = await client()
    raw.write(chunked(BODY + ' '.repeat(300), 100))
    expect((await raw.answer())?.status).toBe(413)
    raw.write('\x00garbage\r\n\r\n')
    expect((await raw.answer())?.status).toBe(400)
  })

  test('headers over 16 KiB are refused', async () => {
    const { client, kernel } = await served()
    const raw = await client()
    raw.write(rawPost(EVALUATION, BODY, [`X-Large: ${'x'.repeat(17_000)}`]))
    expect((await raw.answer())?.status).toBe(431)
    expect(kernel.refusals).toEqual(['http headers_too_large'])
  })
})

describe('frames', () => {
  test.each([
    ['two lengths that differ', 'Content-Length: 1\r\nContent-Length: 2'],
    ['a length that is no number', 'Content-Length: abc'],
    ['a negative length', 'Content-Length: -1'],
    ['a length beside chunks', 'Content-Length: 1\r\nTransfer-Encoding: chunked'],
    ['an unknown transfer coding', 'Transfer-Encoding: gzip'],
    ['a header name with a space', 'Content Length: 1'],
  ])('%s: 400, and the connection ends', async (_, lines) => {
    const { client, kernel } = await served()
    const raw = await client()
    raw.write(
      `POST ${EVALUATION} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n${lines}\r\n\r\n${BODY}`,
    )
    const answer = await raw.answer()
    expect(answer?.status).toBe(400)
    expect(answer?.body).toMatch(/^malformed: /)
    await raw.end()
    expect(kernel.dispatches).toEqual([])
  })

  test('what is not HTTP is refused', async () => {
    const { client } = await served()
    const raw = await client()
    raw.write('\x16\x03\x01\x02\x00\x01')
    expect((await raw.answer())?.status).toBe(400)
    await raw.end()
  })

  test('HTTP/1.1 without a host is refused, HTTP/1.0 is served and closed', async () => {
    const { client } = await served()
    const without = await client()
    without.write('GET /health/live HTTP/1.1\r\n\r\n')
    expect((await without.answer())?.status).toBe(400)
    const old = await client()
    old.write(rawPost(EVALUATION, BODY).replace('HTTP/1.1\r\nHost: 127.0.0.1', 'HTTP/1.0'))
    expect((await old.answer())?.body).toBe('{"decision":true}')
    await old.end()
    const older = await client()
    older.write('GET /health/live HTTP/1.0\r\n\r\n')
    expect((await older.answer())?.body).toBe('{"live":true}')
  })

  test.each([EVALUATION, '/health/live', '/authorize/x'])(
    '%s with two hosts is refused, whichever would do',
    async (path) => {
      const { client, kernel } = await served({ forwardAuth: { proxy: 'envoy' } })
      const raw = await client()
      raw.write(rawPost(path, BODY, ['HOST: 127.0.0.1']))
      const answer = await raw.answer()
      expect([answer?.status, answer?.body]).toEqual([
        400,
        'invalid_header: host comes more than once',
      ])
      expect([kernel.dispatches, kernel.refusals]).toEqual([[], ['http invalid_header']])
    },
  )

  test.each(['a b', 'a/b', 'user@host', '[::1'])(
    'Host: %s is refused in a line of text',
    async (host) => {
      const { client, kernel } = await served({ allowNonLoopback: true })
      const raw = await client()
      raw.write(`GET /log/checkpoint HTTP/1.1\r\nHost: ${host}\r\n\r\n`)
      const answer = await raw.answer()
      expect([answer?.status, answer?.body]).toEqual([400, expect.stringMatching(/^malformed: /)])
      expect(kernel.dispatches).toEqual([])
    },
  )

  test('pipelined requests are answered in order', async () => {
    const { client, kernel } = await served()
    kernel.script = async (_, n) => {
      await sleep(n === 1 ? 40 : 0)
      return decision({ id: String(n).padStart(32, '0') })
    }
    const raw = await client()
    raw.write(rawPost(EVALUATION, BODY) + rawPost(EVALUATION, BODY) + rawPost(EVALUATION, BODY))
    const ids = []
    for (let i = 0; i < 3; i++) ids.push(Number((await raw.answer())?.headers.get('x-decision-id')))
    expect(ids).toEqual([1, 2, 3])
  })

  test.each([EVALUATION, EVALUATION.replace('e', '%65'), '/authorize/x'])(
    'garbage behind a request for %s that is being decided ends the connection without an answer',
    async (path) => {
      const { client, kernel } = await served({ forwardAuth: { proxy: 'envoy' } })
      let dispatched = (): void => {}
      const arrived = new Promise<void>((resolve) => {
        dispatched = resolve
      })
      const aborted = new Promise<void>((resolve) => {
        kernel.script = ({ options }) =>
          new Promise((_, reject) => {
            dispatched()
            options.signal?.addEventListener('abort', () => {
              resolve()
              reject(new Error('gone'))
            })
          })
      })
      const raw = await client()
      raw.write(rawPost(path, BODY))
      await arrived
      raw.write('\x00garbage\r\n\r\n')
      expect(await raw.answer()).toBeUndefined()
      await aborted
    },
  )

  test('garbage right behind a request is one refusal and the end of the connection', async () => {
    const { client } = await served()
    const raw = await client()
    raw.write(`${rawPost(EVALUATION, BODY)}\x00garbage\r\n\r\n`)
    expect((await raw.answer())?.status).toBe(400)
    expect(await raw.answer()).toBeUndefined()
  })

  test('a client that asks first is told to go on', async () => {
    const { client } = await served()
    const raw = await client()
    raw.write(rawPost(EVALUATION, BODY, ['Expect: 100-continue']).slice(0, -BODY.length))
    expect((await raw.answer())?.status).toBe(100)
    raw.write(BODY)
    expect((await raw.answer())?.status).toBe(200)
  })

  test('a client that goes away while its body comes in frees its place', async () => {
    const { client, kernel } = await served({ maxConcurrent: 1 })
    const gone = await client()
    gone.write(rawPost(EVALUATION, BODY).slice(0, -1))
    const raw = await client()
    await until(503, raw)
    gone.destroy()
    await until(200, raw)
    expect(kernel.refusals.filter((why) => why !== 'http overloaded')).toEqual(['http aborted'])
  })
})

describe('methods and paths', () => {
  test.each([
    ['GET', EVALUATION, 'POST'],
    ['PUT', EVALUATION, 'POST'],
    ['OPTIONS', '/access/v1/evaluations', 'POST'],
    ['DELETE', '/assay/v1/receipts/0123', 'GET, HEAD'],
    ['POST', '/log/tile/0/000', 'GET, HEAD'],
    ['POST', '/health/live', 'GET, HEAD'],
  ])('%s %s: 405, allowing %s', async (method, path, allow) => {
    const { client } = await served()
    const raw = await client()
    raw.write(`${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n`)
    const answer = await raw.answer()
    expect([answer?.status, answer?.headers.get('allow')]).toEqual([405, allow])
    expect(answer?.body).toMatch(/^method_not_allowed: /)
  })

  test('HEAD is GET without the body', async () => {
    const { client } = await served()
    const raw = await client()
    raw.write('HEAD /health/live HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
    const head = await raw.answer(true)
    expect([head?.status, head?.headers.get('content-type')]).toEqual([200, 'application/json'])
    raw.write(`HEAD ${EVALUATION} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
    expect((await raw.answer(true))?.status).toBe(405)
  })

  test.each([
    '/',
    '/access/v1/evaluation/',
    '/access/v1/search/subjects',
    '/ACCESS/v1/evaluation',
    '//access/v1/evaluation',
    '/assay/v1/receipts/',
    '/assay/v1/receipts/a/b',
    '/log/',
  ])('%s is not found, in JSON', async (path) => {
    const { client, kernel } = await served()
    const raw = await client()
    raw.write(rawPost(path, BODY))
    const answer = await raw.answer()
    expect([answer?.status, answer?.body]).toEqual([404, '{"error":"not_found"}'])
    expect(answer?.headers.get('content-type')).toBe('application/json')
    expect(kernel.dispatches).toEqual([])
  })

  test.each([
    ['a query', `${EVALUATION}?pretty=1`],
    ['the absolute form', `http://127.0.0.1${EVALUATION}`],
    ['escapes', '/access/v1/%65valuation'],
  ])('%s in the target does not matter', async (_, target) => {
    const { client, kernel } = await served({ maxBodyBytes: 256 })
    const raw = await client()
    raw.write(rawPost(target, BODY))
    expect((await raw.answer())?.body).toBe('{"decision":true}')
    raw.write(rawPost(target, BODY + ' '.repeat(256)))
    expect((await raw.answer())?.status).toBe(413)
    expect(kernel.dispatches.length).toBe(1)
  })
})
