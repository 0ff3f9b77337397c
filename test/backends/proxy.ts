/** A network that goes wrong, between an adapter and its real backend: an HTTP proxy that delays, loses, cuts short or answers itself. */
import {
  createServer,
  type IncomingMessage,
  request,
  type Server,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'

/** As it arrived. */
export interface Seen {
  readonly method: string
  readonly path: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/**
 * What becomes of one request. `lose`: it never reaches the backend. `loseAnswer`: it does, and nobody hears of it. `hang`: nothing, ever. `cut`: an
 * answer that ends after so many bytes of its body. `answer`: in place of the backend's. `delayMs`: later, and then as if nothing were wrong.
 */
export type Fault =
  | 'hang'
  | 'lose'
  | 'loseAnswer'
  | { readonly answer: { readonly status: number; readonly body?: string } }
  | { readonly cut: number }
  | { readonly delayMs: number }

export interface FaultProxy {
  readonly url: string
  /** Newest last. */
  readonly seen: readonly Seen[]
  /** Asked for each request; undefined lets it through. In force until it is set again. */
  fault: (seen: Seen) => Fault | undefined
  close(): Promise<void>
}

/** @param target of the backend, `http://host:port` */
export async function faultProxy(target: string): Promise<FaultProxy> {
  const seen: Seen[] = []
  const server = createServer((asked, answer) => {
    serve(proxy, seen, target, asked, answer).catch(() => answer.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const proxy: FaultProxy = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    fault: () => undefined,
    close: () => closed(server),
  }
  return proxy
}

async function serve(
  proxy: FaultProxy,
  seen: Seen[],
  target: string,
  asked: IncomingMessage,
  answer: ServerResponse,
): Promise<void> {
  const { headers, method = 'GET', url = '/' } = asked
  const one: Seen = { method, path: url, headers, body: await bodyOf(asked) }
  seen.push(one)
  const fault = proxy.fault(one)
  if (fault === 'hang') return
  if (fault === 'lose') {
    answer.destroy()
  } else if (fault === undefined || fault === 'loseAnswer') {
    await forward(target, one, answer, fault)
  } else if ('answer' in fault) {
    answer.writeHead(fault.answer.status, { 'content-type': 'application/json' })
    answer.end(fault.answer.body ?? '')
  } else {
    if ('delayMs' in fault) await pause(fault.delayMs)
    await forward(target, one, answer, 'cut' in fault ? fault : undefined)
  }
}

async function forward(
  target: string,
  { body, headers, method, path }: Seen,
  answer: ServerResponse,
  fault: 'loseAnswer' | { readonly cut: number } | undefined,
): Promise<void> {
  const got = await new Promise<IncomingMessage>((resolve, reject) => {
    request(new URL(path, target), { method, headers }, resolve).on('error', reject).end(body)
  })
  const all = await bodyOf(got)
  if (fault === 'loseAnswer') {
    answer.destroy()
    return
  }
  // The whole body is here, also one that came in chunks.
  const { 'transfer-encoding': _, ...kept } = got.headers
  answer.writeHead(got.statusCode ?? 502, { ...kept, 'content-length': all.length })
  if (fault === undefined) answer.end(all)
  else answer.write(all.subarray(0, fault.cut), () => answer.destroy())
}

async function bodyOf(message: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of message) parts.push(part as Buffer)
  return Buffer.concat(parts)
}

function closed(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}
