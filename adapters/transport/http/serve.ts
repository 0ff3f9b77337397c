/**
 * The app on Node's HTTP server: listening, time limits, what is not HTTP, and a clean end.
 *
 * @see https://nodejs.org/api/http.html#class-httpserver
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { TransportError } from '../../../core/error.ts'
import type { Closable, Transport } from '../../../core/ports/transport.ts'
import { type Assembled, assemble } from './app.ts'
import { Lane } from './node.ts'
import {
  type AppOptions,
  bracketed,
  type HttpOptions,
  type Listening,
  readLimits,
  readListening,
} from './options.ts'

export interface HttpServer extends Closable {
  /** Where it listens, without a slash at the end. */
  readonly url: string
  readonly port: number
  /** Also throws nothing when it is closed already. */
  close(): Promise<void>
}

/** @throws TransportError `invalid_options`, `address_in_use` */
export const serveHttp: Transport<HttpOptions, HttpServer> = async (kernel, options) => {
  const listening = readListening(options)
  readLimits(options)
  const { requestTimeoutMs } = listening
  const server = createServer({
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, Math.ceil(requestTimeoutMs / 4)),
  })
  const port = await listen(server, listening)
  const url = `http://${bracketed(listening.host)}:${port}`
  const app = assemble(kernel, appOptions(options, listening, url))
  const lane = attach(server, app)
  let closed: Promise<void> | undefined
  const close = (): Promise<void> => {
    closed ??= drain(server, app, lane, requestTimeoutMs)
    return closed
  }
  return { url, port, close }
}

function appOptions(
  options: HttpOptions,
  { hosts, publicUrl }: Listening,
  url: string,
): AppOptions {
  return { ...options, publicUrl: publicUrl ?? url, ...(hosts === undefined ? {} : { hosts }) }
}

function listen(server: Server, { host, port }: Listening): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(listenError(error, host, port)))
    server.listen(port, host, () => resolve((server.address() as AddressInfo).port))
  })
}

function listenError(cause: NodeJS.ErrnoException, host: string, port: number): TransportError {
  return cause.code === 'EADDRINUSE'
    ? new TransportError(
        'transport/http',
        'address_in_use',
        `something listens on ${bracketed(host)}:${port} already; stop it, or choose another port (0 picks one)`,
        { cause },
      )
    : new TransportError(
        'transport/http',
        'invalid_options',
        `cannot listen on ${bracketed(host)}:${port} (${cause.code}); choose another host or port`,
        { cause },
      )
}

/** Runs in the turn in which listening began, so before the first request. */
function attach(server: Server, assembled: Assembled): Lane {
  const { app, front } = assembled
  const whole = getRequestListener(app.fetch, {
    // HTTP/1.0 clients may send no Host.
    hostname: 'localhost',
    overrideGlobalObjects: false,
  })
  const lane = new Lane(assembled, whole)
  server.on('request', lane.listener)
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const [status, code] = NOT_HTTP[error.code ?? ''] ?? [400, 'malformed']
    if (error.code === 'ECONNRESET' || !socket.writable || lane.isDeciding(socket)) socket.destroy()
    else socket.end(plain(status, code), () => socket.destroy())
    if (error.code !== 'ECONNRESET') front.refused(code)
  })
  return lane
}

/** What Node refuses by itself. */
const NOT_HTTP: Readonly<Record<string, readonly [status: string | 400, code: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'timeout'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'headers_too_large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['413 Content Too Large', 'too_large'],
}

function plain(status: string | 400, code: string): string {
  const body = `${code}: ${code === 'timeout' ? 'the request took too long to arrive' : 'the request is not HTTP that this server reads'}`
  const line = status === 400 ? '400 Bad Request' : status
  return `HTTP/1.1 ${line}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`
}

/** The kernel gives a decision at most this long. */
const LONGEST_DECISION_MS = 60_000
/** For answers on their way to slow readers. */
const FLUSH_MS = 2000

/** Node stops checking its own time limits once it closes. */
async function drain(
  server: Server,
  { front }: Assembled,
  { arriving }: Lane,
  requestTimeoutMs: number,
): Promise<void> {
  const idle = front.gate.close()
  const gone = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  const cut = (): void => {
    for (const { socket } of arriving) socket.destroy()
  }
  const timers = [
    setTimeout(cut, requestTimeoutMs),
    setTimeout(() => server.closeAllConnections(), requestTimeoutMs + LONGEST_DECISION_MS),
  ]
  await idle
  const sweep = setInterval(() => server.closeIdleConnections(), 20)
  timers.push(setTimeout(() => server.closeAllConnections(), FLUSH_MS))
  await gone
  clearInterval(sweep)
  for (const timer of timers) clearTimeout(timer)
}
