/** OPA's bundle service protocol against real servers: those that keep to it, and those that do not. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { Authority } from '../../../test/certificates.ts'
import { DEFAULT_LIMITS } from './archive.ts'
import { bearer, type HttpSourceOptions, httpSource } from './http-source.ts'
import type { BundleSource } from './source.ts'

type Handler = (request: IncomingMessage, response: ServerResponse) => void
const LONG_POLL = 'application/vnd.openpolicyagent.bundles'

let folder: string
let opened: { close(): unknown }[] = []
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-http-source-'))
})
afterEach(async () => {
  for (const each of opened.reverse()) await each.close()
  opened = []
  await rm(folder, { recursive: true })
})

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  opened.push({
    close: () => {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(resolve))
    },
  })
  return (server.address() as AddressInfo).port
}

async function from(
  handler: Handler,
  options: Partial<HttpSourceOptions> = {},
): Promise<BundleSource> {
  const port = await listen(createServer(handler))
  return opening({ url: `http://127.0.0.1:${port}/bundles/main`, ...options })
}

function opening(options: Partial<HttpSourceOptions> & { readonly url: string }): BundleSource {
  const source = httpSource({
    limits: DEFAULT_LIMITS,
    timeoutMs: 20_000,
    longPollSeconds: 0,
    ...options,
  })
  opened.push(source)
  return source
}

const { signal } = new AbortController()
const codeOf = (source: BundleSource, tag?: string): Promise<unknown> =>
  source.ask({ tag, signal }).then(
    (fetched) => fetched.kind,
    (error: { readonly code?: string }) => error.code,
  )

test('a bundle comes with its tag, and once more only when there is another', async () => {
  const asked: IncomingMessage[] = []
  const source = await from((request, response) => {
    asked.push(request)
    const known = request.headers['if-none-match'] === '"v1"'
    response.writeHead(known ? 304 : 200, { etag: '"v1"' }).end(known ? undefined : 'one')
  })
  const first = await source.ask({ tag: undefined, signal })
  expect(first).toEqual({ kind: 'bundle', bytes: Buffer.from('one'), tag: '"v1"' })
  expect(await source.ask({ tag: '"v1"', signal })).toEqual({ kind: 'unchanged' })
  expect(asked.map(({ url }) => url)).toEqual(['/bundles/main', '/bundles/main'])
  expect(asked.map(({ headers }) => headers.prefer)).toEqual(['modes=snapshot', 'modes=snapshot'])
  expect(source.waits).toBe(false)
})

test('long polls are asked for where the server says that it can', async () => {
  const prefer: unknown[] = []
  const source = await from(
    (request, response) => {
      prefer.push(request.headers.prefer)
      response.writeHead(200, { etag: 'x', 'content-type': LONG_POLL }).end('b')
    },
    { longPollSeconds: 7 },
  )
  await source.ask({ tag: undefined, signal })
  expect(source.waits).toBe(true)
  await source.ask({ tag: 'x', signal })
  await source.ask({ tag: 'x', deltas: true, signal })
  // Without a tag the other side cannot know what a delta would have to apply to.
  await source.ask({ tag: undefined, deltas: true, signal })
  expect(prefer).toEqual([
    'modes=snapshot',
    'modes=snapshot;wait=7',
    'modes=snapshot,delta;wait=7',
    'modes=snapshot',
  ])
})

test('a tag that stays the same hides no other bundle that is sent', async () => {
  let content = 'one'
  const source = await from((_, response) => response.writeHead(200, { etag: 'x' }).end(content))
  await source.ask({ tag: undefined, signal })
  content = 'two'
  const second = await source.ask({ tag: 'x', signal })
  expect(second).toEqual({ kind: 'bundle', bytes: Buffer.from('two'), tag: 'x' })
})

test('the token is read for each request', async () => {
  const tokenFile = join(folder, 'token')
  const seen: unknown[] = []
  const source = await from(
    (request, response) => {
      seen.push(request.headers.authorization)
      response.end('b')
    },
    { headers: bearer(tokenFile) },
  )
  expect(await codeOf(source)).toBe('unauthorized')
  for (const token of ['one', 'two']) {
    await writeFile(tokenFile, `${token}\n`)
    await source.ask({ tag: undefined, signal })
  }
  expect(seen).toEqual(['Bearer one', 'Bearer two'])
})

describe('misbehaviour has a code:', () => {
  const cut: Handler = (_, response) => {
    response.writeHead(200, { 'content-length': '100' })
    response.write('short')
    setTimeout(() => response.destroy(), 50)
  }
  const endless: Handler = (_, response) => {
    response.writeHead(200)
    const timer = setInterval(() => response.write(Buffer.alloc(65_536)), 1)
    response.once('close', () => clearInterval(timer))
  }
  const answers: readonly (readonly [
    code: string,
    what: string,
    handler: Handler,
    tag?: string,
  ])[] = [
    ['bad_status', '500', (_, response) => response.writeHead(500).end('oops')],
    [
      'bad_status',
      'not modified, and nothing was known',
      (_, response) => response.writeHead(304).end(),
    ],
    ['not_found', '404', (_, response) => response.writeHead(404).end()],
    ['unauthorized', '401', (_, response) => response.writeHead(401).end()],
    ['unauthorized', '403', (_, response) => response.writeHead(403).end()],
    [
      'redirected',
      'a redirect',
      (_, response) => response.writeHead(302, { location: '/x' }).end(),
    ],
    ['truncated', 'less than was announced', cut],
    ['unreachable', 'a connection that is closed', (request) => request.socket.destroy()],
    [
      'too_large',
      'too much is announced',
      (_, response) => response.writeHead(200, { 'content-length': '99999999' }).end(),
    ],
    ['too_large', 'no end', endless],
    ['unchanged', 'nothing after a long poll', (_, response) => response.writeHead(200).end(), 'x'],
  ]
  for (const [code, what, handler, tag] of answers)
    test(`${code}: ${what}`, async () => {
      const limits = { ...DEFAULT_LIMITS, maxBytes: 1_000_000 }
      expect(await codeOf(await from(handler, { limits }), tag)).toBe(code)
    })

  test('timeout: no answer', async () => {
    expect(await codeOf(await from(() => undefined, { timeoutMs: 100 }))).toBe('timeout')
  })

  test('timeout: an answer that does not end', async () => {
    const slow: Handler = (_, response) => {
      response.writeHead(200)
      response.write('a')
    }
    expect(await codeOf(await from(slow, { timeoutMs: 300 }))).toBe('timeout')
  })

  test('unreachable: nobody listens', async () => {
    expect(await codeOf(opening({ url: 'http://127.0.0.1:1/x' }))).toBe('unreachable')
  })

  test('whoever stops it gets its own reason', async () => {
    const source = await from(() => undefined)
    const stopping = new AbortController()
    const asked = source.ask({ tag: undefined, signal: stopping.signal })
    stopping.abort(new Error('stopping'))
    await expect(asked).rejects.toThrow('stopping')
  })
})

test('over TLS, the certificates that are named count, and no others', async () => {
  const [authority, other] = [await Authority.make(), await Authority.make('Other')]
  opened.push({ close: () => Promise.all([authority.remove(), other.remove()]) })
  const files = await authority.server()
  const [cert, key] = await Promise.all([files.cert, files.key].map((file) => readFile(file)))
  const port = await listen(createSecureServer({ cert, key }, (_, response) => response.end('b')))
  const url = `https://localhost:${port}/b`
  expect(await codeOf(opening({ url, caFile: authority.cert }))).toBe('bundle')
  expect(await codeOf(opening({ url, caFile: other.cert }))).toBe('unreachable')
  expect(await codeOf(opening({ url }))).toBe('unreachable')
  expect(await codeOf(opening({ url, caFile: join(folder, 'none') }))).toBe('unreachable')
})
