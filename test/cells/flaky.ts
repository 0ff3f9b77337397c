/**
 * A network between two kernels that cannot be relied on: an HTTP proxy that loses requests and answers, delays them (which puts them out of
 * order), delivers some twice, and can be cut.
 */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../crash/random.ts'

export interface Weather {
  /** Of requests, and once more of answers. 0 to 1. */
  readonly loss: number
  readonly duplicates: number
  /** At most, each way. */
  readonly delayMs: number
}
export interface Flaky {
  readonly url: string
  /** Nothing comes through. */
  cut: boolean
  /** What became of the requests. */
  readonly counts: { passed: number; lost: number; doubled: number }
  close(): Promise<void>
}

interface Answer {
  readonly status: number
  readonly body: Buffer
}

export async function flaky(
  target: () => string,
  weather: Weather,
  random: Random,
): Promise<Flaky> {
  const counts = { passed: 0, lost: 0, doubled: 0 }
  const server = createServer((incoming, outgoing) => {
    // What is lost is a connection that ends, or one in which nothing happens any more.
    void relay(incoming, outgoing).catch(() => {
      if (random() < 0.5) incoming.socket.destroy()
    })
  })
  async function relay(incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const body = Buffer.concat(chunks)
    await pause(random() * weather.delayMs)
    if (proxy.cut || random() < weather.loss) throw lost()
    if (random() < weather.duplicates) {
      counts.doubled++
      void forward(target(), incoming, body).catch(() => undefined)
    }
    const answer = await forward(target(), incoming, body)
    await pause(random() * weather.delayMs)
    if (proxy.cut || random() < weather.loss) throw lost()
    counts.passed++
    outgoing.writeHead(answer.status).end(answer.body)
  }
  const lost = (): Error => {
    counts.lost++
    return new Error('lost')
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: Flaky = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut: false,
    counts,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return proxy
}

/** Rejects where the target hangs up. */
function forward(target: string, incoming: IncomingMessage, body: Buffer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const url = new URL(incoming.url ?? '/', target)
    const { 'content-type': type = 'application/json' } = incoming.headers
    const headers = { 'content-type': type, 'content-length': body.length }
    const sent = request(url, { method: 'POST', headers, timeout: 10_000 }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 502, body: Buffer.concat(chunks) }),
      )
      response.once('error', reject)
    })
    sent.once('timeout', () => sent.destroy(new Error('the target hangs')))
    sent.once('error', reject)
    sent.end(body)
  })
}
