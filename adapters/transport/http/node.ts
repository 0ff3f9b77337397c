/**
 * Node's own request and response around an endpoint, for the POST endpoints. Standard Request and Response, with their streams, cost
 * more than everything else that a decision over HTTP takes in this process, and all that is told apart lies behind the endpoint anyway.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Peer } from '../../../core/request.ts'
import { type Answer, Refusal, SILENCE } from './answer.ts'
import type { Assembled } from './app.ts'
import { type Call, joined, type Remote, tooLarge } from './call.ts'
import { type Connection, connectionOf, GONE } from './connection.ts'
import type { Answering } from './front.ts'

/** The endpoint that proxies ask, for any method: everything whose target begins with `path`, as it stands in the request line. */
export interface Forward {
  readonly path: string
  answer(call: Call, peer: Peer): Promise<Answer>
}

export class Lane {
  /** Requests whose bodies are still arriving. */
  readonly arriving: Set<IncomingMessage> = new Set()
  readonly #assembled: Assembled
  readonly #otherwise: RequestListener
  readonly #forward: Forward | undefined
  readonly #endpoints: ReadonlyMap<string, Assembled['endpoints'][number]>

  get front(): Assembled['front'] {
    return this.#assembled.front
  }

  /** `otherwise`: the app itself, for every other request. */
  constructor(assembled: Assembled, otherwise: RequestListener, forward?: Forward) {
    this.#assembled = assembled
    this.#forward = forward
    this.#otherwise = otherwise
    const posts = assembled.endpoints.filter(({ method }) => method === 'POST')
    this.#endpoints = new Map(posts.map((endpoint) => [endpoint.path, endpoint]))
  }

  readonly listener: RequestListener = (incoming, outgoing) => {
    const target = incoming.url ?? ''
    if (hasSeveralHosts(incoming)) return this.#answer(SEVERAL_HOSTS, target, incoming, outgoing)
    // First, and on the target as it came: under a normalised one `/authorize/../health/live` would be another endpoint's 200.
    if (this.#forward !== undefined && target.startsWith(this.#forward.path))
      return this.#answerForward(this.#forward, incoming, outgoing)
    const path = pathOf(target)
    const endpoint = incoming.method === 'POST' ? this.#endpoints.get(path) : undefined
    if (endpoint !== undefined) return this.#answer(endpoint, path, incoming, outgoing)
    connectionOf(incoming.socket).follow(incoming, outgoing)
    return this.#otherwise(incoming, outgoing)
  }

  #answer(
    endpoint: Answering,
    path: string,
    incoming: IncomingMessage,
    outgoing: ServerResponse,
  ): void {
    const { front, maxBodyBytes } = this.#assembled
    const connection = connectionOf(incoming.socket)
    const call = new NodeCall(incoming, path, connection, maxBodyBytes, this.arriving)
    const answered = front.answer(endpoint, call).then((answer) => {
      if (call.whole) connection.deciding--
      write(outgoing, answer, front.gate.closed)
    })
    answered.catch(() => outgoing.destroy())
  }

  #answerForward(forward: Forward, incoming: IncomingMessage, outgoing: ServerResponse): void {
    const { front, maxBodyBytes } = this.#assembled
    const connection = connectionOf(incoming.socket)
    const call = new NodeCall(incoming, forward.path, connection, maxBodyBytes, this.arriving)
    const endpoint = {
      admitted: true,
      answer: (_: Call, peer: Peer) => forward.answer(call, peer),
    }
    connection.deciding++
    const answered = front.answer(endpoint, call).then((answer) => {
      connection.deciding--
      write(outgoing, answer, front.gate.closed)
    })
    answered.catch(() => outgoing.destroy())
  }
}

/** RFC 9112, 3.2: what stands before this server may have gone by another one. */
const SEVERAL_HOSTS: Answering = {
  admitted: false,
  open: 'always',
  answer: () => {
    throw new Refusal('invalid_header', 'host comes more than once')
  },
}

function hasSeveralHosts({ rawHeaders }: IncomingMessage): boolean {
  let found = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length === 4 && name.toLowerCase() === 'host') found++
  }
  return found > 1
}

function pathOf(url: string): string {
  const query = url.indexOf('?')
  return query < 0 ? url : url.slice(0, query)
}

/** @throws when a header cannot be sent, which must cost this connection and not the process */
function write(outgoing: ServerResponse, answer: Answer, closing: boolean): void {
  if (outgoing.destroyed) return
  const { status, headers, body } = answer
  if (status === SILENCE.status) return void outgoing.destroy()
  const length = typeof body === 'string' ? Buffer.byteLength(body) : body.length
  // RFC 9110, 8.6: not with 204.
  const pairs = status === 204 ? [] : ['content-length', String(length)]
  for (const name in headers) pairs.push(name, headers[name] as string)
  if (closing) pairs.push('connection', 'close')
  outgoing.writeHead(status, pairs)
  outgoing.end(body)
}

class NodeCall implements Call {
  readonly method: string
  readonly target: string
  readonly path: string
  /** The body was read to its end. */
  whole = false
  readonly #incoming: IncomingMessage
  readonly #connection: Connection
  readonly #maxBodyBytes: number
  readonly #arriving: Set<IncomingMessage>

  constructor(
    incoming: IncomingMessage,
    path: string,
    connection: Connection,
    maxBodyBytes: number,
    arriving: Set<IncomingMessage>,
  ) {
    this.method = incoming.method ?? ''
    this.target = incoming.url ?? ''
    this.path = path
    this.#incoming = incoming
    this.#connection = connection
    this.#maxBodyBytes = maxBodyBytes
    this.#arriving = arriving
  }

  get signal(): AbortSignal {
    return this.#connection.signal
  }

  header(name: string): string | undefined {
    return this.#incoming.headers[name] as string | undefined
  }

  lines(name: string): readonly string[] {
    return this.#incoming.headersDistinct[name] ?? []
  }

  get remote(): Remote {
    return this.#connection
  }

  body(): Promise<Uint8Array> {
    const incoming = this.#incoming
    const max = this.#maxBodyBytes
    if (Number(incoming.headers['content-length']) > max) return Promise.reject(tooLarge(max))
    this.#arriving.add(incoming)
    return new Promise((resolve, reject) => {
      const chunks: Uint8Array[] = []
      let size = 0
      const settled = (): void => void this.#arriving.delete(incoming)
      incoming.on('data', (chunk: Uint8Array) => {
        size += chunk.length
        if (size <= max) chunks.push(chunk)
        // What follows is read and dropped, until it ends or the request's time is up.
        else reject(tooLarge(max))
      })
      incoming.on('end', () => {
        settled()
        if (size > max) return
        this.whole = true
        this.#connection.deciding++
        resolve(joined(chunks, size))
      })
      incoming.on('error', () => {
        settled()
        reject(GONE)
      })
    })
  }
}
