import { gunzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { FakeKernel } from '../../../test/fake-kernel.ts'
import { lanes, posted } from '../../../test/http-lanes.ts'
import { RawClient } from '../../../test/raw-http.ts'
import { serveHttp } from './index.ts'

const NOTE = 'example.com/log\n7\nroot=\n\n\u2014 example.com/log c2ln\n'
const HASHES = Uint8Array.from({ length: 8192 }, (_, i) => i % 251)
const BUNDLE = Uint8Array.from({ length: 900 }, (_, i) => i % 7)

function logKernel(): { kernel: FakeKernel; asked: unknown[] } {
  const asked: unknown[] = []
  const kernel = new FakeKernel(undefined, {
    checkpoint: async () => Buffer.from(NOTE),
    tile: async (...at) => {
      asked.push(at)
      return at[1] < 2_000_000n ? HASHES.subarray(0, at[2] * 32) : undefined
    },
    entries: async (...at) => {
      asked.push(at)
      return at[0] < 2_000_000n ? BUNDLE : undefined
    },
  })
  return { kernel, asked }
}
const bytesOf = async (response: Response): Promise<Uint8Array> =>
  new Uint8Array(await response.arrayBuffer())

describe.each(lanes)('the log through $name', (lane) => {
  test('the checkpoint is text that is not kept', async () => {
    await lane.with(logKernel().kernel, async (ask) => {
      const response = await ask('/log/checkpoint')
      expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
      expect(response.headers.get('cache-control')).toBe('no-cache')
      expect(await response.text()).toBe(NOTE)
    })
    await lane.with(new FakeKernel(), async (ask) => {
      expect((await ask('/log/checkpoint')).status).toBe(404)
    })
  })

  test('tiles are bytes that never change', async () => {
    const { kernel, asked } = logKernel()
    await lane.with(kernel, async (ask) => {
      const full = await ask('/log/tile/0/x001/x234/067')
      expect(full.headers.get('content-type')).toBe('application/octet-stream')
      expect(full.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
      expect(await bytesOf(full)).toEqual(HASHES)
      expect(await bytesOf(await ask('/log/tile/3/005.p/17'))).toEqual(HASHES.subarray(0, 17 * 32))
    })
    expect(asked).toEqual([
      [0, 1_234_067n, 256],
      [3, 5n, 17],
    ])
  })

  test('entries are compressed for clients that take it', async () => {
    const { kernel, asked } = logKernel()
    await lane.with(kernel, async (ask) => {
      const plain = await ask('/log/tile/entries/x001/002.p/3', {
        headers: { 'Accept-Encoding': 'gzip;q=0, br' },
      })
      expect(plain.headers.get('content-encoding')).toBeNull()
      expect(plain.headers.get('vary')).toBe('accept-encoding')
      expect(plain.headers.get('cache-control')).toMatch(/immutable/)
      expect(await bytesOf(plain)).toEqual(BUNDLE)
      const zipped = await ask('/log/tile/entries/000', {
        headers: { 'Accept-Encoding': 'br, gzip' },
      })
      expect(zipped.headers.get('content-encoding')).toBe('gzip')
      const body = await bytesOf(zipped)
      // fetch unpacks, the app itself does not.
      expect(body.length === BUNDLE.length ? body : new Uint8Array(gunzipSync(body))).toEqual(
        BUNDLE,
      )
    })
    expect(asked).toEqual([
      [1002n, 3],
      [0n, 256],
    ])
  })

  test.each([
    '/log/tile/0/x002/x000/000',
    '/log/tile/entries/x002/x000/000',
    '/log/tile/0/5',
    '/log/tile/0/000.p/0',
    '/log/tile/0/000.p/256',
    '/log/tile/64/000',
    '/log/tile/00/000',
    '/log/tile/0/x000/001',
    '/log/tile/0/000/',
    '/log/tile/-1/000',
    '/log/tile',
    '/log/checkpoint/',
  ])('%s is not found, and may be there later', async (path) => {
    await lane.with(logKernel().kernel, async (ask) => {
      const response = await ask(path)
      expect([response.status, response.headers.get('cache-control')]).toEqual([404, 'no-store'])
    })
  })
})

test('entries travel compressed on the wire', async () => {
  const { port, close } = await serveHttp(logKernel().kernel, {})
  const raw = await RawClient.to(port)
  raw.write(
    'GET /log/tile/entries/000 HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n',
  )
  const answer = await raw.answer()
  expect(answer?.headers.get('content-encoding')).toBe('gzip')
  expect(Number(answer?.headers.get('content-length'))).toBeLessThan(BUNDLE.length)
  raw.destroy()
  await close()
})

describe.each(lanes)('health through $name', (lane) => {
  test('alive is whoever answers; ready is what the kernel says', async () => {
    const kernel = new FakeKernel()
    await lane.with(kernel, async (ask) => {
      expect((await ask('/health/live')).status).toBe(200)
      const good = await ask('/health/ready')
      expect([good.status, await good.json()]).toEqual([
        200,
        { ready: true, problems: [], degraded: [], size: '0', sealed: '0' },
      ])
      const policy = { digest: 'sha256:00', revision: 'sha256:11' }
      kernel.ready = { ...kernel.ready, ready: false, problems: ['clock_behind'], policy }
      const bad = await ask('/health/ready')
      const { inFlight: _, outbox: __, ...said } = kernel.ready
      expect([bad.status, await bad.json()]).toEqual([503, said])
      expect((await ask('/health/live')).status).toBe(200)
      expect((await ask('/health/ready', posted({}))).status).toBe(405)
    })
  })
})
