import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { cpuMicros, type Job, measureServer, splitAnswer } from './client.ts'

let server: Server | undefined
afterEach(() => {
  server?.closeAllConnections()
  server?.close()
})

/** Answers each body with what `answer` makes of it. */
async function job(answer: (body: string) => string, headers: () => object): Promise<Job> {
  server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text
    })
    request.on('end', () => {
      const text = answer(body)
      response.writeHead(200, { 'content-length': text.length, ...headers() }).end(text)
    })
  })
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    path: '/',
    exchanges: ['a', 'b', 'c'].map((body) => ({ body, answer: `"${body}"` })),
    connections: 4,
    warmMs: 20,
    ms: 200,
    pid: process.pid,
  }
}

describe('a measured server', () => {
  test('is counted by what it answered, with the CPU of its process', async () => {
    const ids = new Set<string>()
    const id = (): object => {
      ids.add(`id-${ids.size}`)
      return { 'x-decision-id': `id-${ids.size - 1}` }
    }
    const all = await job((body) => JSON.stringify(body), id)
    const measured = await measureServer({ ...all, decisionHeader: 'x-decision-id' })
    expect(measured.decisions).toBeGreaterThan(100)
    expect(measured.decisions).toBeLessThanOrEqual(ids.size)
    expect(measured.sample).toHaveLength(Math.floor(measured.decisions / 100))
    for (const sampled of measured.sample) expect(ids).toContain(sampled)
    expect(measured.p99Ms).toBeGreaterThanOrEqual(measured.p50Ms)
    expect(measured.cpuMicros).toBeGreaterThan(0)
    expect(measured.cpuMicros).toBeLessThanOrEqual(cpuMicros(process.pid))
  })

  test('is not measured when an answer is wrong, not sealed or names no decision', async () => {
    const wrong = await job(
      () => '"a"',
      () => ({}),
    )
    await expect(measureServer(wrong)).rejects.toThrow()
    const right = { ...wrong, exchanges: [{ body: 'a', answer: '"a"' }] }
    await expect(measureServer(right)).resolves.toMatchObject({ sample: [] })
    await expect(measureServer({ ...right, decisionHeader: 'x-decision-id' })).rejects.toThrow()
    server?.close()
    const unsealed = { 'x-decision-id': 'i', 'assay-seal': 'committed_unsealed' }
    const failing = await job(
      (body) => `"${body}"`,
      () => unsealed,
    )
    await expect(measureServer({ ...failing, decisionHeader: 'x-decision-id' })).rejects.toThrow()
  })
})

describe('an answer', () => {
  const whole = 'HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc'

  test('is there when its last byte is', () => {
    for (let i = 0; i < whole.length; i++) expect(splitAnswer(whole.slice(0, i))).toBeUndefined()
    expect(splitAnswer(`${whole}HTTP`)).toEqual({
      answer: { head: 'HTTP/1.1 200 OK\r\nContent-Length: 3', body: 'abc' },
      rest: 'HTTP',
    })
  })

  test('without a length is refused', () => {
    expect(() => splitAnswer('HTTP/1.1 200 OK\r\nX: y\r\n\r\n')).toThrow()
  })
})
