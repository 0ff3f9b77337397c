/** A receiver of exported events: a real HTTP server that remembers what it took and answers as it is told. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gunzipSync } from 'node:zlib'

export interface Received {
  readonly path: string
  readonly headers: IncomingHttpHeaders
  /** Parsed JSON. */
  readonly body: unknown
}

export interface Reply {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Receiver {
  readonly url: string
  /** Every request, taken or not, in order. */
  readonly requests: Received[]
  /** Only those that were answered with 2xx. */
  readonly taken: Received[]
  /** Called for each request; default: 200 without a body. */
  reply: (received: Received) => Reply
  close(): Promise<void>
}

export async function openReceiver(port = 0): Promise<Receiver> {
  const server = createServer((incoming, outgoing) => {
    const chunks: Buffer[] = []
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk))
    incoming.on('end', () => {
      const bytes = Buffer.concat(chunks)
      const plain = incoming.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes
      const body: unknown = JSON.parse(plain.toString('utf8'))
      const received = { path: incoming.url ?? '', headers: incoming.headers, body }
      receiver.requests.push(received)
      const { status, headers, body: answer = '' } = receiver.reply(received)
      if (status < 300) receiver.taken.push(received)
      outgoing.writeHead(status, headers).end(answer)
    })
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  const receiver: Receiver = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests: [],
    taken: [],
    reply: () => ({ status: 200 }),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return receiver
}
