/**
 * The app on Node's HTTP server: listening, time limits, what is not HTTP, and a clean end.
 *
 * @see https://nodejs.org/api/http.html#class-httpserver
 */
import { createServer, type Server, type ServerOptions } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import { TransportError } from '../../../core/error.ts'
import type { Kernel } from '../../../core/kernel.ts'
import type { Closable, Transport } from '../../../core/ports/transport.ts'
import { MessageDoor } from './announce.ts'
import { assemble } from './app.ts'
import { Authenticator } from './auth.ts'
import { connectionOf } from './connection.ts'
import { createEndpoints } from './endpoints.ts'
import { forwardAuth } from './forward.ts'
import { type ForwardAuthOptions, readForwardAuth } from './forward-options.ts'
import { type Forward, Lane } from './node.ts'
import {
  type AppOptions,
  bracketed,
  type HttpOptions,
  type Limits,
  type Listening,
  type RealmOptions,
  readLimits,
  readListening,
} from './options.ts'
import { REALMS, realmListener } from './realm.ts'
import { isHandshake, Tls } from './tls.ts'

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
  const doors = doorsOf(kernel, options)
  const { requestTimeoutMs } = listening
  const auth = await openAuthOf(options)
  let tls: Tls | undefined
  const closeFiles = (): void => {
    auth?.close()
    tls?.close()
  }
  try {
    tls = await openTls(options)
    const server = serverOf(tls, requestTimeoutMs)
    server.maxConnections = listening.maxConnections
    const port = await listen(server, listening)
    const url = `${tls ? 'https' : 'http'}://${bracketed(listening.host)}:${port}`
    const lanes = attach(server, doors, { options, listening, url, auth })
    let closed: Promise<void> | undefined
    const close = (): Promise<void> => {
      closeFiles()
      closed ??= drain(server, lanes, requestTimeoutMs)
      return closed
    }
    return { url, port, close }
  } catch (error) {
    closeFiles()
    throw error
  }
}

/** One kernel that is served here. */
interface Door extends RealmOptions {
  /** Undefined: the server's own. */
  readonly realm?: string
  readonly forward: Forward | undefined
}

/** The server's own first. @throws TransportError `invalid_options` */
function doorsOf(kernel: Kernel, options: HttpOptions): readonly [Door, ...Door[]] {
  const { audit, explain, forwardAuth, opa, operations, rateLimit, realms = {}, seal } = options
  const door = (one: RealmOptions, realm?: string): Door => {
    const limits = readLimits({ ...sharedOf(options), seal: one.seal })
    const forward = forwardAuth && forwarded(one, limits, forwardAuth)
    return { ...one, forward, ...(realm === undefined ? {} : { realm }) }
  }
  return [
    door({ kernel, audit, explain, opa, operations, rateLimit, seal }),
    ...Object.entries(realms).map(([name, one]) => door(one, name)),
  ]
}

/** What is the same for every kernel that is served here. */
function sharedOf(options: HttpOptions): Pick<AppOptions, (typeof SHARED)[number]> {
  const told = SHARED.flatMap((name) =>
    options[name] === undefined ? [] : [[name, options[name]]],
  )
  return Object.fromEntries(told)
}
const SHARED = [
  'clock',
  'cors',
  'evaluationsMax',
  'maxBodyBytes',
  'maxConcurrent',
  'open',
  'trustedProxies',
] as const

async function openAuthOf(options: HttpOptions): Promise<Authenticator | undefined> {
  const { auth = 'none', clock, lookMs, onEvent = () => undefined } = options
  if (auth === 'none') return undefined
  const onChange = (error?: unknown): void =>
    onEvent(
      error === undefined
        ? { kind: 'auth_reloaded' }
        : { kind: 'auth_refused', message: (error as Error).message },
    )
  return Authenticator.open(auth, { clock, lookMs, onChange })
}

async function openTls({ lookMs, onEvent, tls }: HttpOptions): Promise<Tls | undefined> {
  return tls && Tls.open(tls, onEvent ?? (() => undefined), lookMs)
}

function serverOf(tls: Tls | undefined, requestTimeoutMs: number): Server {
  const options: ServerOptions = {
    requestTimeout: requestTimeoutMs,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, Math.ceil(requestTimeoutMs / 4)),
  }
  return tls === undefined
    ? createServer(options)
    : tls.createServer({ ...options, handshakeTimeout: requestTimeoutMs })
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

/** @throws TransportError `invalid_options` */
function forwarded(
  { audit, explain, kernel, opa, operations }: RealmOptions,
  limits: Limits,
  options: ForwardAuthOptions,
): Forward {
  const read = readForwardAuth(options)
  const { path } = read
  const door = new MessageDoor(kernel)
  const taken = createEndpoints(kernel, limits, '', audit, opa, operations, door, explain)
    .map((endpoint) => endpoint.path)
    .concat(`${REALMS}*`)
  if (taken.some((one) => one.startsWith(path) || isUnder(path, one)))
    throw new TransportError(
      'transport/http',
      'invalid_options',
      `forwardAuth: ${path} is where other endpoints are; choose another path`,
    )
  return { path, answer: (call, peer) => forwardAuth(kernel, limits, read, call, peer) }
}

/** Whether `path` is among those that a pattern with `*` at its end stands for. */
function isUnder(path: string, pattern: string): boolean {
  return pattern.endsWith('/*') && path.startsWith(pattern.slice(0, -1))
}

interface Served {
  readonly options: HttpOptions
  readonly listening: Listening
  readonly url: string
  readonly auth: Authenticator | undefined
}

/** Runs in the turn in which listening began, so before the first request. */
function attach(
  server: Server,
  [own, ...others]: readonly [Door, ...Door[]],
  served: Served,
): readonly Lane[] {
  const first = laneOf(own, served)
  const realms = new Map(others.map((door) => [door.realm ?? '', laneOf(door, served)] as const))
  const listeners = new Map([...realms].map(([name, { listener }]) => [name, listener] as const))
  server.on(
    'request',
    realms.size === 0 ? first.listener : realmListener(first.listener, listeners),
  )
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    const { front } = first
    if (isHandshake(error, socket)) front.refused('tls_handshake')
    if (isHandshake(error, socket) || GONE.has(error.code ?? '')) return void socket.destroy()
    const [status, code] = NOT_HTTP[error.code ?? ''] ?? ['400 Bad Request', 'malformed']
    front.refused(code)
    if (!socket.writable || connectionOf(socket).isDeciding) socket.destroy()
    else socket.end(lastAnswer(status, code), () => socket.destroy())
  })
  server.on('drop', () => first.front.refused('too_many_connections'))
  return [first, ...realms.values()]
}

function laneOf({ forward, ...door }: Door, { auth, listening, options, url }: Served): Lane {
  const { hosts, publicUrl = url } = listening
  const assembled = assemble(door.kernel, {
    ...sharedOf(options),
    ...door,
    publicUrl: door.realm === undefined ? publicUrl : `${publicUrl}${REALMS}${door.realm}`,
    ...(auth === undefined ? {} : { auth }),
    ...(hosts === undefined ? {} : { hosts }),
  })
  const whole = getRequestListener(assembled.app.fetch, {
    // HTTP/1.0 clients may send no Host.
    hostname: 'localhost',
    overrideGlobalObjects: false,
    errorHandler: () =>
      new Response(NOT_READ, { status: 400, headers: { 'content-type': PLAIN_TEXT } }),
  })
  return new Lane(assembled, whole, forward)
}

/** The client ended in the middle of a request. */
const GONE: ReadonlySet<string> = new Set(['ECONNRESET', 'EPIPE', 'HPE_INVALID_EOF_STATE'])

/** What Node refuses by itself; everything else is not HTTP. */
const NOT_HTTP: Readonly<Record<string, readonly [status: string, code: string]>> = {
  ERR_HTTP_REQUEST_TIMEOUT: ['408 Request Timeout', 'timeout'],
  HPE_HEADER_OVERFLOW: ['431 Request Header Fields Too Large', 'headers_too_large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: ['413 Content Too Large', 'too_large'],
}

const PLAIN_TEXT = 'text/plain; charset=utf-8'
const NOT_READ = 'malformed: this is not a request that is read here'

function lastAnswer(status: string, code: string): string {
  const body = code === 'malformed' ? NOT_READ : `${code}: ${status.slice(4).toLowerCase()}`
  const head = [
    `HTTP/1.1 ${status}`,
    `Content-Type: ${PLAIN_TEXT}`,
    `Content-Length: ${body.length}`,
    'Connection: close',
  ]
  return `${head.join('\r\n')}\r\n\r\n${body}`
}

/** The kernel gives a decision at most this long. */
const LONGEST_DECISION_MS = 60_000
/** For answers on their way to slow readers. */
const FLUSH_MS = 2000

/** Node stops checking its own time limits once it closes. */
async function drain(
  server: Server,
  lanes: readonly Lane[],
  requestTimeoutMs: number,
): Promise<void> {
  const idle = Promise.all(lanes.map(({ front }) => front.gate.close()))
  const gone = new Promise<void>((resolve) => {
    server.close(() => resolve())
  })
  const cut = (): void => {
    for (const { arriving } of lanes) for (const { socket } of arriving) socket.destroy()
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
